"""The command `mock-server` as a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import IO, Any

import httpx

from tests.patience import PATIENCE_S

COMMAND = Path(sys.executable).with_name("mock-server")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this environment without its own settings, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_SERVER")}
    return kept | dict(variables)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, which must be near."""
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=environment(variables),
        timeout=PATIENCE_S,
        check=False,
    )


class Started:
    """A server that has said that it listens."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self.process = process
        self._errors = errors
        self.first_line = self._read_line()
        self.url = self.first_line.rpartition(" ")[2].rstrip("\n")

    def get(self, path: str, key: str = "sk-key") -> dict[str, Any]:
        answer = httpx.get(
            f"{self.url}{path}",
            headers={"Authorization": f"Bearer {key}"},
            verify=False,
            trust_env=False,
        )
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def post(self, path: str, body: object, key: str = "sk-key") -> dict[str, Any]:
        answer = httpx.post(
            f"{self.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_S,
            verify=False,
            trust_env=False,
        )
        answer.raise_for_status()
        given: dict[str, Any] = answer.json()
        return given

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        return url.host, url.port or 80

    def stop(self, number: int) -> tuple[int, str, str]:
        """Send a signal; return exit status, the rest of standard output, and standard error."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self._errors.seek(0)
        return self.process.returncode, self.process.stdout.read(), self._errors.read()

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select([self.process.stdout], [], [], PATIENCE_S)
        assert ready, "the server said nothing"
        return self.process.stdout.readline()


@contextmanager
def started(*arguments: str, max_files: int | None = None, **variables: str) -> Iterator[Started]:
    """Start the command on a free port, unless told otherwise, and end it in any case."""
    limit = [] if max_files is None else ["sh", "-c", f'ulimit -n {max_files}; exec "$@"', "sh"]
    with (
        tempfile.TemporaryFile("w+") as errors,  # A pipe that nobody reads would fill up.
        subprocess.Popen(
            [
                *limit,
                COMMAND,
                *(arguments if "--port" in arguments else ("--port", "0", *arguments)),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(variables),
        ) as process,
    ):
        try:
            yield Started(process, errors)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
