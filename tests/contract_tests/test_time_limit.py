"""A case ends in time, whatever the server does, and at once when the run is stopped."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest

from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Time
from contract_tests.server.cases.traffic import CASES as TRAFFIC_CASES
from contract_tests.server.events import Request, build_request
from contract_tests.server.http_client import HttpClient
from contract_tests.server.http_world import HttpWorld
from contract_tests.server.interruptions import CaseTimedOut, RunStopped
from contract_tests.server.options import Options, time_limit_s
from contract_tests.server.receiver import Receiver
from contract_tests.server.runner import Runner
from contract_tests.server.time_limit import TimeLimit
from tests.contract_tests.fakes import REGISTER, a_case, a_target
from tests.patience import PATIENCE_S

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
BALANCE = build_request("GET", "/balance")


class SlowServer:
    """Sends the start of a response, then a byte now and then until the client gives up."""

    def __init__(self, start: bytes) -> None:
        self.start = start
        self.has_request = Event()
        self._is_over = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        with suppress(OSError), socket.create_connection(self._listener.getsockname(), PATIENCE_S):
            pass  # It may still wait for its first client.
        self._thread.join(PATIENCE_S)
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(PATIENCE_S)
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(self.start)
                self.has_request.set()
                while not self._is_over.wait(0.05):
                    connection.sendall(b"X" if self.start else b"")
        except OSError:
            self.has_request.set()  # The client, or the test, has closed the connection.


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\n", HEAD], ids=["no head", "in head", "in body"])
def slow(request: pytest.FixtureRequest) -> Iterator[SlowServer]:
    server = SlowServer(request.param)
    yield server
    server.close()


@contextmanager
def world(server: SlowServer, limit: TimeLimit) -> Iterator[HttpWorld]:
    with Receiver() as receiver, HttpClient(trusted_certificates()) as client:
        yield HttpWorld(client, server.url, {}, receiver, case_id="S-SUB-901", limit=limit)


def exchange(world: HttpWorld, request: Request) -> None:
    world.exchange(request)


def burst(world: HttpWorld, request: Request) -> None:
    world.burst(request, 10)


@pytest.mark.parametrize("send", [exchange, burst])
def test_a_response_that_never_ends_is_ended_by_the_time_limit(
    send: Callable[[HttpWorld, Request], None], slow: SlowServer
) -> None:
    with world(slow, TimeLimit(0.3)) as outside, pytest.raises(CaseTimedOut, match=r"0\.3 s"):
        send(outside, BALANCE)


@pytest.mark.parametrize("send", [exchange, burst])
def test_a_stopped_run_waits_for_no_response(
    send: Callable[[HttpWorld, Request], None], slow: SlowServer
) -> None:
    stop = Event()

    def interrupt() -> None:
        slow.has_request.wait(PATIENCE_S)
        stop.set()

    thread = Thread(target=interrupt)
    thread.start()
    with world(slow, TimeLimit(None, stop)) as outside, pytest.raises(RunStopped):
        send(outside, BALANCE)
    thread.join(PATIENCE_S)


def test_a_pause_and_a_wait_for_callbacks_end_with_the_time_limit(slow: SlowServer) -> None:
    with world(slow, TimeLimit(0.1)) as outside:
        with pytest.raises(CaseTimedOut):
            outside.pause(1000)
        with pytest.raises(CaseTimedOut):
            outside.deliveries("never", 1, 1000)


def test_a_case_that_is_ended_by_its_time_limit_is_inconclusive(slow: SlowServer) -> None:
    with world(slow, TimeLimit(0.3)) as outside:
        runner = Runner(a_target(), REGISTER, lambda _: outside, seed=1)
        result = runner.run_case(a_case()).result

    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "not finished within 0.3 s; --timeout sets another limit"


def test_cases_that_wait_have_longer_limits_unless_a_switch_sets_one() -> None:
    cases = [a_case(time=time) for time in Time]
    defaults = [time_limit_s(case, Options()) for case in cases]

    assert defaults == sorted(set(defaults))
    assert {time_limit_s(case, Options(timeout_s=7.0)) for case in cases} == {7.0}


def test_slow_cases_have_the_longest_limit_because_the_machine_may_be_busy() -> None:
    longest = time_limit_s(a_case(time=Time.LONG), Options())

    assert time_limit_s(a_case(is_slow=True), Options()) == longest
    assert time_limit_s(a_case(exhausts=True), Options()) == longest
    assert {time_limit_s(case, Options()) for case in TRAFFIC_CASES} == {longest}
