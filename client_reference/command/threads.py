"""The threads of a batch that was given up: they may wait for an answer for a while yet."""

import threading
import time


def left_working() -> list[threading.Thread]:
    """Return those that the interpreter would wait for at its end."""
    main = threading.main_thread()
    return [each for each in threading.enumerate() if each is not main and not each.daemon]


def let_end(seconds: float) -> None:
    """Give them some time to end by themselves, but no more than this in all."""
    until_s = time.monotonic() + seconds
    for thread in left_working():
        thread.join(max(0.0, until_s - time.monotonic()))
