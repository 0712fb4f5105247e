"""A standard error that cannot be written neither delays nor stops the server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select

import httpx
import pytest

from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.cli.commands import COMMAND, environment
from tests.mock_server.cli.test_workers import SERVE
from tests.mock_server.e2e.api import SUBMIT
from tests.patience import PATIENCE_S

ALONE = [str(COMMAND), "--port", "0"]
WORKERS = [sys.executable, "-c", SERVE]
KEY = {"Authorization": "Bearer sk-key"}
NO_STDERR = -1

# This process logs lines, and then ends.
LOG = """
import logging, sys
from mock_server.logs import configure_logging
configure_logging("text", "info")
log = logging.getLogger("mock_server")
for number in range(20_000):
    log.info("line %d", number)
"""
# The parent waits for the pipe when it forks.
FORK = """
import logging, os, sys
from mock_server.logs import configure_logging
configure_logging("text", "info", shows_process=True)
log = logging.getLogger("mock_server")
log.info("of the parent")
log.warning("of both")
log.warning("of both")
child = os.fork()
if child == 0:
    log.warning("of both")
    log.info("of the child")
print(os.getpid(), flush=True)
logging.shutdown()
os._exit(0)
"""


class Server:
    """A process of the command. Each request has a connection of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        assert select([process.stdout], [], [], PATIENCE_S)[0], "the server printed no address"
        self._url = process.stdout.readline().split()[-1]

    def get(self, path: str) -> httpx.Response:
        return self._request("GET", path)

    def post(self, path: str, body: object) -> httpx.Response:
        return self._request("POST", path, body)

    def workers(self) -> set[int]:
        pid = self._process.pid
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def until_workers(self, count: int, killed: int) -> None:
        """Wait until so many workers serve, without one that was killed."""
        give_up_s = time.monotonic() + PATIENCE_S
        while len(self.workers() - {killed}) != count:
            assert time.monotonic() < give_up_s
        self.get("/_mock/health")

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)

    def _request(self, method: str, path: str, body: object = None) -> httpx.Response:
        with httpx.Client(
            base_url=self._url, verify=False, trust_env=False, timeout=PATIENCE_S
        ) as http:
            return http.request(method, path, headers=KEY, json=body).raise_for_status()


@contextmanager
def serving(command: list[str], errors: int) -> Iterator[Server]:
    if errors == NO_STDERR:
        command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=None if errors == NO_STDERR else errors,
        text=True,
        env=environment({}),
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


@contextmanager
def running(program: str, errors: int) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """Yield the ends of a pipe that is full of dots."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"." * 4096)
        os.set_blocking(writer, True)
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def text_until(reader: int, part: str) -> str:
    """Read a pipe until this part arrives; return everything after the dots."""
    text = ""
    while part not in text:
        assert select([reader], [], [], PATIENCE_S)[0], f"no {part} in {text[-1000:]}"
        text += os.read(reader, 65_536).decode().lstrip("." if not text else "")
    return text


@pytest.mark.parametrize("command", [ALONE, WORKERS], ids=["alone", "workers"])
def test_server_whose_log_nobody_reads_answers_and_stops(command: list[str]) -> None:
    with (
        CallbackReceiver.listening() as receiver,
        full_pipe() as (_, errors),
        serving(command, errors) as server,
    ):
        receiver.status = 500
        for _ in range(20):
            hook = {"request_type": "callback", "callback_url": receiver.url}
            prompt = "[[mock pending=0 processing=0]] a fox"
            server.post(SUBMIT, hook | {"input": {"prompt": prompt}})
        receiver.wait_for(20, PATIENCE_S)

        assert server.get("/_mock/health").json() == {"status": "ok"}
        assert server.stop() == 0


def test_worker_that_was_killed_is_replaced_although_nobody_reads_the_log() -> None:
    with full_pipe() as (_, errors), serving(WORKERS, errors) as server:
        for _ in range(3):  # Each end is logged, so the supervisor forks beside a stuck thread.
            killed = min(server.workers())
            os.kill(killed, signal.SIGKILL)
            server.until_workers(2, killed)

        assert server.stop() == 0


@pytest.mark.parametrize("broken", ["closed pipe", "full disk", "no standard error"])
def test_server_that_cannot_write_its_log_answers_and_stops(broken: str) -> None:
    reader, closed_pipe = os.pipe()
    os.close(reader)
    full_disk = os.open("/dev/full", os.O_WRONLY)
    errors = {"closed pipe": closed_pipe, "full disk": full_disk}.get(broken, NO_STDERR)
    try:
        with serving(ALONE, errors) as server:
            for _ in range(3):
                server.get("/_mock/sandbox")

            assert server.stop() == 0
    finally:
        os.close(closed_pipe)
        os.close(full_disk)


def test_log_that_is_read_again_says_how_many_lines_are_missing() -> None:
    program = f"{LOG.replace('text', 'json')}\nprint('logged', flush=True)\nsys.stdin.read()"
    with full_pipe() as (reader, errors), running(program, errors) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        text = text_until(reader, '"dropped"')
        process.communicate()

    lines = [json.loads(line) for line in text.splitlines()]
    kept = [line["message"] for line in lines[:-1]]
    assert kept == [f"line {number}" for number in range(len(kept))]
    assert len(kept) > 0
    assert (lines[-1]["level"], lines[-1]["dropped"]) == ("warning", 20_000 - len(kept))


def test_process_writes_its_whole_log_before_it_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOG], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )

    messages = [line.partition(": ")[2] for line in done.stderr.splitlines()]
    assert messages == [f"line {number}" for number in range(20_000)]


def test_forked_process_logs_its_own_lines_only() -> None:
    with full_pipe() as (reader, errors), running(FORK, errors) as process:
        text = text_until(reader, "of the child")
        pids = process.communicate()[0].split()
        os.set_blocking(reader, False)
        with open(reader, "rb", closefd=False) as rest:
            text += (rest.read() or b"").decode()

    parent = str(process.pid)
    [child] = {*pids} - {parent}
    assert sorted(line.partition("mock_server")[2] for line in text.splitlines()) == sorted(
        [
            f"[{parent}]: of the parent",
            f"[{parent}]: of both",
            f"[{parent}]: 1 more within 10 s: of both",
            f"[{child}]: of both",
            f"[{child}]: of the child",
        ]
    )
