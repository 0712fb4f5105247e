"""The clock of the machine, as a process sees it: libfaketime lets a test set it.

Only the calendar time changes. Like on a real machine, the monotonic time goes on undisturbed.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


class MachineClock:
    """A clock that differs from the true one by an offset, such as `-1h`.

    Processes with these `variables` in their environment see it, also while it is changed.
    """

    def __init__(self, file: Path, library: str) -> None:
        self.file = file
        self.set("+0")
        self.variables: Mapping[str, Any] = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """Set the clock to another offset from the true time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.replace(self.file)  # Nobody must read half of it.


def find_library() -> str:
    """Return the library to preload. Without it, skip the test; in CI, fail."""
    program = shutil.which("faketime")
    if program is None:
        reason = "needs libfaketime (Debian: apt-get install faketime)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    show = [program, "-f", "+0", "/bin/sh", "-c", 'printf %s "$LD_PRELOAD"']
    return subprocess.run(show, capture_output=True, text=True, check=True).stdout
