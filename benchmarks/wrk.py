"""Send load with wrk and read what it measured."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence

import msgspec

from benchmarks.errors import BenchError

CONNECTIONS = 32
_TIMEOUT_S = 10
_PREFIX = "measured "
_HEAD = """
wrk.method = {method}
for name, value in pairs({{{headers}}}) do wrk.headers[name] = value end
wrk.body = {body}

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{prefix}{{"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, "rejected": %d, '
    .. '"late": %d, "broken": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.timeout, errors.connect + errors.read + errors.write))
end
"""
# Requests are made before the load begins, so that the script costs little.
_PATHS = """
local paths, made, last = {{{paths}}}, {{}}, 0

function init(args)
  for number, path in ipairs(paths) do made[number] = wrk.format(nil, path) end
end

function request()
  last = last % #made + 1
  return made[last]
end
"""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What every connection sends, one request after the other.

    With several paths, the requests go to each of them in turn.
    """

    paths: Sequence[str]
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What wrk measured."""

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    rejected: int  # Responses with an error status.
    late: int  # Responses that took longer than the timeout.
    broken: int  # Errors of connections.

    @property
    def per_s(self) -> float:
        return self.requests * 1e6 / self.duration_us


class Wrk:
    """wrk with 32 connections that are kept alive, on the core of this process."""

    def __init__(self, *, seconds: int) -> None:
        self._seconds = seconds
        found = shutil.which("wrk")
        if found is None:
            raise BenchError("wrk is not installed (Debian: apt-get install wrk)")
        self._program = found

    def load(self, url: str, request: Request) -> Load:
        """Send the request as often as possible. Raise BenchError if a response is no success."""
        return self._run(url, request, self._seconds)

    def warm_up(self, url: str, request: Request, seconds: int = 1) -> None:
        """Send load without measuring it. Raise BenchError as `load` does."""
        self._run(url, request, seconds)

    def _run(self, url: str, request: Request, seconds: int) -> Load:
        with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="ascii") as file:
            file.write(script(request))
            file.flush()
            command = [
                *(
                    self._program,
                    "-t1",
                    f"-c{CONNECTIONS}",
                    f"-d{seconds}s",
                    f"--timeout={_TIMEOUT_S}s",
                ),
                *("-s", file.name, url + request.paths[0]),
            ]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
        load = parsed(ended.stdout + ended.stderr)
        if load.rejected or load.late or load.broken or not load.requests:
            raise BenchError(
                f"{request.method} {url}{request.paths[0]}: {load.requests} responses,"
                f" {load.rejected} of them with an error status, {load.late} after more than"
                f" {_TIMEOUT_S} s, and {load.broken} errors of connections; speed is measured"
                " without errors only"
            )
        return load


def script(request: Request) -> str:
    """Return the Lua script that makes wrk send a request and print what it measured."""
    text = _HEAD.format(
        method=_lua(request.method),
        headers=", ".join(
            f"[{_lua(name)}] = {_lua(text)}" for name, text in request.headers.items()
        ),
        body="nil" if request.body is None else _lua(request.body),
        prefix=_PREFIX,
    )
    if len(request.paths) > 1:
        text += _PATHS.format(paths=", ".join(map(_lua, request.paths)))
    return text


def parsed(output: str) -> Load:
    """Return what the script has printed. Raise BenchError if it has not."""
    found = re.search(rf"^{_PREFIX}(\{{.*\}})$", output, re.MULTILINE)
    if found is None:
        raise BenchError(f"wrk did not finish: {output.strip() or 'no output'}")
    return msgspec.json.decode(found[1], type=Load)


def _lua(text: str) -> str:
    """Return a Lua string: printable ASCII has the same notation as in JSON."""
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"must be printable ASCII (got {text!r})")
    return json.dumps(text)
