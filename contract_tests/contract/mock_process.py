"""Starts the mock in a separate process, with a random seed, or finds one that runs already."""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import httpx
import msgspec

from contract_tests.contract.base_url import origin_of
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.errors import TargetError

_STOP_S: Final = 30.0  # After this time, a mock that does not stop is killed.
_INFO_TIMEOUT_S: Final = 10.0


class UsedMock(msgspec.Struct, frozen=True):
    """A running mock, and its random seed."""

    base_url: str
    seed: int


class _Info(msgspec.Struct):
    """The part of the answer of `GET /_mock/info` that is needed here."""

    seed: int


def draw_seed() -> int:
    """Return a new random seed."""
    return secrets.randbelow(2**32)


def find_mock(base_url: str) -> UsedMock:
    """Return the mock that runs at an address.

    Raises:
        TargetError: The address is invalid, or there is none.
    """
    base_url = origin_of(base_url)
    advice = "start one with mock-server, or omit --base-url"
    try:
        answer = httpx.get(
            f"{base_url}/_mock/info",
            timeout=_INFO_TIMEOUT_S,
            verify=trusted_certificates(),
            trust_env=False,  # As in the cases.
        )
        return UsedMock(base_url, msgspec.json.decode(answer.content, type=_Info).seed)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TargetError(
            f"--base-url {base_url}: cannot be reached ({error}); {advice}"
        ) from error
    except msgspec.DecodeError as error:
        raise TargetError(f"--base-url {base_url}: is not a mock server; {advice}") from error


@contextmanager
def used_mock(base_url: str | None, seed: int | None, port: int) -> Iterator[UsedMock]:
    """Yield the mock at this address; without an address, start one and stop it afterwards.

    Raises:
        TargetError: There is no mock at the address, or it did not start.
    """
    if base_url is not None:
        yield find_mock(base_url)
        return
    seed = draw_seed() if seed is None else seed
    with start_mock(seed, port=port) as started:
        yield UsedMock(started, seed)


@contextmanager
def start_mock(seed: int, *switches: str, port: int = 0) -> Iterator[str]:
    """Start the mock with these switches, yield its address, and stop it afterwards.

    It has its own process group, so that Ctrl-C does not stop it before the cases that use it.

    Raises:
        TargetError: The mock did not start.
    """
    command = (sys.executable, "-m", "mock_server", "--port", str(port), "--seed", str(seed),
               "--log-level", "warning", *switches)  # fmt: skip
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            process_group=0,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[str]", log: IO[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(_STOP_S)
        log.seek(0)
        raise TargetError(f"the mock did not start: {log.read().strip()[-500:]}")
    return line.split()[-1]
