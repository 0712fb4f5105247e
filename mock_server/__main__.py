"""The process of the command `mock-server`, prepared before the slow imports begin."""

import gc
import sys
from typing import TYPE_CHECKING

from mock_server.early_signals import EARLY_SIGNALS

if TYPE_CHECKING:
    import click


def main(root: "click.Command | None" = None, program: str = "mock-server") -> None:
    """Run this command, by default `mock-server`, under the name that the user called.

    Exit with 2 for an invalid setting, 1 if the address cannot be used, workers keep ending, or the
    output cannot be written, and 141 if nobody reads it.
    """
    # Imports and a million tasks leave little garbage, so looking for it often only costs time.
    gc.set_threshold(100_000, 50, 100)
    EARLY_SIGNALS.handle()
    from mock_server.command import run  # noqa: PLC0415  # It is slow to import.
    from mock_server.standard_streams import open_closed_streams, status_of  # noqa: PLC0415

    open_closed_streams()
    sys.exit(status_of(lambda: run(sys.argv[1:], root, program), cannot_write=1))


if __name__ == "__main__":
    main()
