"""Compares the mock with a bare ASGI callable and with a Starlette route, by wrk, in turns.

Wanted, with everything on: status at least 0.60 and submit at least 0.50 of the bare callable.

Run it with `make bench`. It prints requests a second and the ratio to the bare callable, each
as minimum, median and maximum over the rounds.
"""

import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.servers import STATUS, SUBMIT

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 16
KEY = "bench"
BODY = json.dumps(
    {
        "request_type": "async",
        "provider": "auto",
        "input": {
            "mode": "gpt-image-1",
            "prompt": "a red fox that crosses a snowy field at dawn",
            "aspect_ratio": "3:2",
            "num_images": 2,
        },
    }
)
LUA = """
wrk.method = "{method}"
wrk.headers["Authorization"] = "Bearer {key}"
wrk.headers["Content-Type"] = "application/json"
wrk.body = {body}
"""
# No limit is reached, so that every request does its whole work; every task stays live.
MOCK = [
    "mock-server", "--seed", "1", "--generation-time", "10d", "--rate-limit", "10000000",
    "--max-concurrent", "10000000", "--balance", "1000000000", "--log-level", "warning",
]  # fmt: skip
Figures = dict[str, list[float]]


def main() -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        sys.exit("make bench needs wrk: apt-get install wrk")
    with ExitStack() as stack:
        urls = {name: stack.enter_context(_serving(name)) for name in ("bare", "routed", "mock")}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for operation, path, script in _operations(folder, urls["mock"]):
            figures = _rounds(wrk, script, {name: url + path for name, url in urls.items()})
            _print(operation, figures)


def _operations(folder: Path, mock_url: str) -> Iterator[tuple[str, str, Path]]:
    submit, status = folder / "submit.lua", folder / "status.lua"
    submit.write_text(LUA.format(method="POST", key=KEY, body=f"[[{BODY}]]"))
    status.write_text(LUA.format(method="GET", key=KEY, body="nil"))
    yield "status", f"{STATUS}?taskId={_task(mock_url)}", status
    yield "submit", SUBMIT, submit


def _rounds(wrk: str, script: Path, urls: dict[str, str]) -> Figures:
    figures: Figures = {name: [] for name in urls}
    for url in urls.values():
        _load(wrk, script, url, 1)
    for _ in range(ROUNDS):
        for name, url in urls.items():
            figures[name].append(_load(wrk, script, url, SECONDS))
    return figures


def _load(wrk: str, script: Path, url: str, seconds: int) -> float:
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in shown or "Socket errors" in shown:
        sys.exit(f"requests were refused, so the figures would mean nothing:\n{shown}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", shown)
    assert found, shown
    return float(found[1])


def _print(operation: str, figures: Figures) -> None:
    for name, rates in figures.items():
        ratios = [rate / bare for rate, bare in zip(rates, figures["bare"], strict=True)]
        print(
            f"{operation:7} {name:7} {_spread(rates, '8.0f')} requests/s"
            f"   ratio to bare {_spread(ratios, '.2f')}"
        )


def _spread(values: list[float], form: str) -> str:
    return " … ".join(f"{f(values):{form}}" for f in (min, statistics.median, max))


def _task(url: str) -> str:
    request = urllib.request.Request(
        url + SUBMIT,
        BODY.encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["data"]["taskId"])


@contextmanager
def _serving(name: str) -> Iterator[str]:
    port = _free_port()
    server = [sys.executable, "-m", "benchmarks.servers", name, str(port)]
    mock = [str(Path(sys.executable).parent / MOCK[0]), *MOCK[1:], "--port", str(port)]
    with subprocess.Popen(
        mock if name == "mock" else server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing answers on port {port}")


if __name__ == "__main__":
    main()
