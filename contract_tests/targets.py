"""Finds out what is known of the server under test."""

import ipaddress
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import urlsplit

import httpx

from contract_tests.probe import BALANCE, Target

START_S = 30.0  # how long the own mock may take to say that it listens


class BadTarget(Exception):
    """The target cannot be used so; says what to do."""


class Unreachable(Exception):
    """Nothing answers, so nothing can be judged."""


def origin_of(base_url: str) -> str:
    """Return the address without `/api/v1` and slashes at its end. Raises BadTarget."""
    try:
        parts = urlsplit(base_url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadTarget("--base-url: must be an address such as http://127.0.0.1:8080")
    return base_url.rstrip("/").removesuffix("/api/v1").rstrip("/")


def is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def found_target(http: httpx.Client, base_url: str, api_key: str, *, is_live: bool) -> Target:
    """Ask the server what it is; a live one is asked nothing. Raises Unreachable."""
    if is_live:
        return Target(base_url=base_url, is_live=True, has_other_key=False)
    try:
        settings = _settings(http, f"{base_url}/_mock/sandbox", api_key)
        info = _settings(http, f"{base_url}/_mock/info", api_key)
        derived = {"Authorization": f"Bearer {derived_key(api_key, 'any', 'own')}"}
        takes_any_key = http.get(base_url + BALANCE, headers=derived).status_code != 401
    except httpx.HTTPError as error:
        raise Unreachable(f"{base_url} cannot be reached: {error}") from error
    return Target(
        base_url=base_url,
        is_live=False,
        settings=settings,
        info=info,
        has_other_key=takes_any_key,
    )


def derived_key(api_key: str, case_id: str, name: str) -> str:
    """Return a key of a case's own, so that cases run side by side without meeting."""
    return f"{api_key}-{case_id}-{name}"


@contextmanager
def own_mock(seed: int, *switches: str, port: int = 0, is_apart: bool = False) -> Iterator[str]:
    """Start the mock as a process of its own; give its address.

    One that is apart does not notice Ctrl-C, which goes to all processes of a group.
    """
    command = (sys.executable, "-m", "mock_server", "--port", str(port), "--seed", str(seed),
               *switches)  # fmt: skip
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            process_group=0 if is_apart else None,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[str]", log: IO[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(START_S)
        log.seek(0)
        raise BadTarget(f"the mock did not start: {log.read().strip()[-500:]}")
    return line.split()[-1]


def _settings(http: httpx.Client, url: str, api_key: str) -> dict[str, Any] | None:
    """Return the settings that control tells of, None where there is no control plane."""
    answer = http.get(url, headers={"Authorization": f"Bearer {api_key}"})
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    settings = (
        body.get("settings") if answer.status_code == 200 and isinstance(body, dict) else None
    )
    return settings if isinstance(settings, dict) else None
