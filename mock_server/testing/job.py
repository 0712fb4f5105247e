"""What a client under exploration gets: an address, a key, a prompt, and a clock to wait on."""

import asyncio
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

# "{{name}}" is "{name}" itself. "${name}" and "%{name}" belong to shells and to curl.
_PLACEHOLDER: Final = re.compile(r"\{\{(?P<literal>\w+)\}\}|(?<![$%{])\{(?P<name>[A-Za-z_]\w*)\}")


class ClientStopped(BaseException):
    """The exploration stops the client here; clients must not catch it."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One order for a client: generate the pictures of one prompt.

    During the call, APIXO_BASE_URL and APIXO_API_KEY have the same values as `base_url` and
    `api_key`. `out_dir` is an empty directory for the pictures. `callback_port` is a free port for
    a callback receiver of the client's own.

    A client must wait with `sleep`, or `await sleep_async`; both take seconds and return at once,
    because they move the sandbox's clock. `clock` returns the sandbox's time in epoch seconds.
    """

    base_url: str
    api_key: str
    prompt: str
    out_dir: Path
    callback_port: int
    sleep: Callable[[float], None]
    clock: Callable[[], float]

    async def sleep_async(self, seconds: float) -> None:
        """Wait like `sleep`, without blocking the event loop."""
        await asyncio.to_thread(self.sleep, seconds)

    def words(self, command: str) -> list[str]:
        """Return the words of a command with the values of this job, for `subprocess.run`.

        The placeholders are those of `contract-tests audit --exec`.
        """
        values = {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "prompt": self.prompt,
            "num_images": "1",
            "out_dir": str(self.out_dir),
            "callback_port": str(self.callback_port),
            "image_url": "https://example.com/fox.png",
        }

        def value(found: re.Match[str]) -> str:
            literal, name = found["literal"], found["name"]
            return f"{{{literal}}}" if literal else values.get(name, found[0])

        return [_PLACEHOLDER.sub(value, word) for word in shlex.split(command)]


class VirtualTime:
    """The manual clock of a sandbox, which a client moves by waiting.

    `before_wait` is called before each wait and may raise ClientStopped. A client that waits for
    longer than `budget_s` in all is stopped; `is_over` tells that.
    """

    def __init__(
        self,
        advance: Callable[[float], object],
        now_ms: Callable[[], int],
        budget_s: float,
        before_wait: Callable[[], None],
    ) -> None:
        self._advance = advance
        self._start_s = now_ms() / 1000
        self._budget_s = budget_s
        self._before_wait = before_wait
        self._lock = Lock()
        self._moving_to_s = 0.0
        self.passed_s = 0.0
        self.is_over = False

    def sleep(self, seconds: float) -> None:
        """Move the clock to the end of the wait, unless another wait has moved it there already.

        While another wait moves the clock, the server may have reached its end. A wait that begins
        then is counted from that end, so that it is never too short.
        """
        target_s = self._moving_to_s + max(0.0, seconds)
        with self._lock:
            self._before_wait()
            if target_s > self._budget_s:
                self.is_over = True
                raise ClientStopped
            if target_s > self.passed_s:
                self._moving_to_s = target_s
                self._advance(target_s - self.passed_s)
                self.passed_s = target_s

    def clock(self) -> float:
        return self._start_s + self.passed_s


class RealTime:
    """The real clock, for a client that is another process and cannot wait in virtual time."""

    is_over = False
    passed_s = 1.0

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def clock(self) -> float:
        return time.time()
