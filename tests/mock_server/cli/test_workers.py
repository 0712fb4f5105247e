"""Several processes serve one address, and their parent keeps them running."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mock_server.server import ListenError, _listen_together, listen
from tests.mock_server.cli.commands import run, started
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

# Two workers with a sandbox in memory each. Tests of the processes need no store that they share.
SERVE = """
import sys
from mock_server.domain.errors import InvalidValue
from mock_server.early_signals import EARLY_SIGNALS
EARLY_SIGNALS.handle()
from mock_server.logs import configure_logging
from mock_server.server import serve_with_workers
from mock_server.settings import load_settings
more = dict(each.split("=") for each in sys.argv[1:])
settings = load_settings({"port": "0", "workers": "2"} | more, {}, None)
configure_logging("text", "info", shows_process=True)
EARLY_SIGNALS.clean_up()
try:
    serve_with_workers(settings, ["a notice"], None)
except InvalidValue as error:
    sys.exit(f"Error: {error}")
"""
# Workers that do what the argument says.
SUPERVISE = """
import os, sys, time
from mock_server.supervisor import Supervisor, WorkersFailed
def serve(number, link):
    exec(sys.argv[1])
def announce(note):
    print("all are ready:", note, flush=True)
try:
    Supervisor(2, serve, announce, first_pause_s=0).run()
except WorkersFailed as error:
    sys.exit(str(error))
"""

BODY = {"input": {"prompt": "[[mock hold]] a fox"}}


class Workers:
    """A parent with its workers, and its log."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self._log = log
        assert process.stdout is not None
        self.announced = [process.stdout.readline() for _ in range(2)]
        self.url = self.announced[0].split()[-1]

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def pids(self) -> set[int]:
        """The processes of the workers."""
        pid = self.process.pid
        return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def status(self, probe: str) -> int:
        """Return the status of a probe on a new connection."""
        with httpx.Client(verify=False, trust_env=False, timeout=PATIENCE_S) as http:
            return http.get(f"{self.url}/_mock/{probe}").status_code

    def end(self) -> str:
        """Wait until no process is left; return the rest of standard output."""
        return self.process.communicate(timeout=PATIENCE_S)[0]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with serving(tmp_path) as workers:
        yield workers


@contextmanager
def serving(folder: Path) -> Iterator[Workers]:
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield Workers(process, log)
        finally:
            process.kill()  # The workers end without their parent.


def until_replaced(workers: Workers, pid: int) -> None:
    """Wait until another worker serves in the place of one that was killed."""
    while len(workers.pids - {pid}) < 2:
        assert workers.process.poll() is None, workers.log
    assert workers.status("health") == 200


def supervise(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SUPERVISE, program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_workers_are_announced_once_when_all_of_them_serve(workers: Workers) -> None:
    pids = workers.pids
    statuses = [workers.status("ready") for _ in range(5)]
    workers.process.terminate()
    rest = workers.end()

    assert re.fullmatch(r"mock-server listening on http://127\.0\.0\.1:\d+\n", workers.announced[0])
    assert workers.announced[1] == f"dashboard: {workers.url}/_mock/\n"
    assert (len(pids), statuses, rest) == (2, [200] * 5, "")
    assert workers.log.count("a notice") == workers.log.count("repeat this run with --seed") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_ends_all_workers_cleanly(workers: Workers, number: signal.Signals) -> None:
    processes = {workers.process.pid, *workers.pids}
    with httpx.Client(verify=False, trust_env=False, timeout=PATIENCE_S) as http:
        http.get(f"{workers.url}/_mock/ready")  # And it keeps the connection open.
        workers.process.send_signal(number)
        workers.end()

    assert workers.process.returncode == 0
    stopped = re.findall(r"\[(\d+)\]: stopping on SIG", workers.log)
    assert sorted(map(int, stopped)) == sorted(processes)
    assert "Traceback" not in workers.log
    assert "ERROR" not in workers.log


def test_a_terminal_that_interrupts_all_processes_ends_them_cleanly(workers: Workers) -> None:
    for pid in (*workers.pids, workers.process.pid):
        os.kill(pid, signal.SIGINT)
    workers.end()

    assert workers.process.returncode == 0
    assert "Traceback" not in workers.log


def test_a_worker_that_was_killed_is_replaced(workers: Workers) -> None:
    killed = min(workers.pids)
    os.kill(killed, signal.SIGKILL)
    until_replaced(workers, killed)
    replaced = workers.pids
    workers.process.terminate()
    workers.end()

    assert f"worker {killed} ended with SIGKILL; starting another one" in workers.log
    assert len(replaced) == 2
    assert killed not in replaced
    assert workers.process.returncode == 0


def test_workers_end_with_a_parent_that_was_killed(workers: Workers) -> None:
    workers.process.kill()
    workers.end()

    assert workers.log.count("the supervisor has ended; stopping this worker") == 2
    with pytest.raises(httpx.ConnectError):
        workers.status("health")


def test_an_invalid_setting_is_reported_once() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SERVE, "restore=/nowhere/file"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "Error: --restore: /nowhere/file: No such file or directory\n"


def test_a_worker_that_ends_before_it_is_ready_ends_the_start() -> None:
    ended = supervise("os._exit(3)")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "a worker ended before it was ready (exit status 3); see the log\n"


def test_workers_that_keep_ending_are_given_up() -> None:
    ended = supervise("link.report_ready('7'); number or os._exit(3); time.sleep(3600)")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "a worker has ended 5 times right after its start, the last time with exit status 3;"
        " see the log"
    )


def test_error_of_a_worker_is_logged_with_its_traceback() -> None:
    ended = supervise("raise OSError('the disk is full')")

    assert "OSError: the disk is full" in ended.stderr
    assert ended.stderr.endswith(
        "a worker ended before it was ready (exit status 1); see the log\n"
    )


def test_address_of_workers_is_taken_for_every_other_program() -> None:
    listeners = _listen_together("127.0.0.1", 0, 3)
    [port] = {each.getsockname()[1] for each in listeners}
    with pytest.raises(ListenError):
        listen("127.0.0.1", port)
    with pytest.raises(ListenError):
        _listen_together("127.0.0.1", port, 3)

    for each in {*listeners}:
        each.close()


def test_several_workers_need_a_store_that_they_share() -> None:
    ended = run("--workers", "2")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "Error: --workers: must be 1 with --store memory (got 2); several workers need a store in"
        " Redis: --store redis://HOST:PORT/DB\n"
    )


def test_workers_with_redis_are_one_mock(redis_server: RedisServer) -> None:
    with started("--workers", "2", "--store", redis_server.address, "--seed", "7") as server:
        task_id = server.post("/api/v1/generateTask/gpt-image-1", BODY)["data"]["taskId"]
        states = [  # Each on a new connection.
            server.get(f"/api/v1/statusTask/gpt-image-1?taskId={task_id}")["data"]["taskId"]
            for _ in range(16)
        ]
        counters = server.get("/_mock/sandbox")["counters"]
        status, _, errors = server.stop(signal.SIGTERM)

    served = set(re.findall(r"requests\[(\d+)\]: GET /api", errors))
    assert (status, states, len(served)) == (0, [task_id] * 16, 2)
    assert (counters["requests"], counters["responses"]) == (17, {"200": 17})
    assert "Traceback" not in errors


def test_workers_start_with_the_seed_of_the_store_or_say_that_they_cannot_serve(
    redis_server: RedisServer,
) -> None:
    store = ("--workers", "2", "--store", redis_server.address)
    with started(*store) as server:
        seed = server.get("/_mock/info")["seed"]
        _, _, chosen = server.stop(signal.SIGTERM)
    with started(*store, "--seed", f"{seed + 1}") as server:
        _, _, other = server.stop(signal.SIGTERM)

    assert chosen.count(f"seed {seed}; repeat this run with --seed {seed}") == 1
    assert other.count(f"has the seed {seed} (got {seed + 1}); use --seed {seed}, or") == 2
    assert other.count("not ready: requests get status 503 until") == 1
    assert "repeat this run" not in other
