"""Runs clients of the tests in a case of the audit, in virtual time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from contract_tests.client.driving.trials import ClientRunner, Trial
from contract_tests.client.records import ClientExit
from contract_tests.client.stored_files import StoredFile
from tests.contract_tests.clients.good import Client, Listener

_TERMINATED = -15

Receive = Callable[[bytes], int]


class TimeBudgetExceeded(Exception):
    """The client wanted to sleep for longer than its time budget."""


class VirtualTime:
    """The manual clock of a sandbox, which a client moves by sleeping, within a budget."""

    def __init__(self, http: httpx.Client, key: str, time_budget_s: float) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}
        self._time_budget_s = time_budget_s
        self.passed_s = 0.0
        self._call("PUT", "clock", {"mode": "manual"})

    def sleep(self, seconds: float) -> None:
        """Advance the clock; return when all that became due is done, callbacks included.

        Raise TimeBudgetExceeded instead of exceeding the budget.
        """
        if self.passed_s + seconds > self._time_budget_s:
            raise TimeBudgetExceeded
        self._call("POST", "clock/advance", {"seconds": seconds})
        self.passed_s += seconds

    def _call(self, method: str, path: str, body: dict[str, object]) -> None:
        self._http.request(
            method, f"/_mock/{path}", json=body, headers=self._headers
        ).raise_for_status()


def runner_of(kind: type[Client], http: httpx.Client) -> ClientRunner:
    """Return a function that runs such a client like a process, but here and in virtual time."""

    def drive(trial: Trial) -> ClientExit:
        time = VirtualTime(http, trial.key, kind.time_budget_s)
        client = kind(trial, http, time.sleep)
        status, timed_out = 0, False
        with ExitStack() as stack:
            if isinstance(client, Listener):
                client.callback_url = stack.enter_context(callback_server(client.receive))
            try:
                client.run()
            except TimeBudgetExceeded:
                status, timed_out = _TERMINATED, True
            except Exception as error:  # noqa: BLE001  # A client may raise anything.
                status = 1
                client.output.append(f"{type(error).__name__}: {error}")
        return ClientExit(
            exit_status=status,
            output="\n".join(client.output),
            timed_out=timed_out,
            after_s=time.passed_s,
            files=_files_of(client),
        )

    return drive


def _files_of(client: Client) -> tuple[StoredFile, ...] | None:
    if not client.stores_files:
        return None
    return tuple(StoredFile(name=name, content=content) for name, content in client.files.items())


@contextmanager
def callback_server(receive: Receive) -> Iterator[str]:
    """Serve a callback receiver on a free loopback port, and give its address."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.receive = receive
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/callback"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    receive: Receive


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        status = self.server.receive(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except ConnectionError:
            return  # The sender has closed the connection.

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The base class uses this name.
        """Log nothing: standard error belongs to the test suite."""
