"""Runs clients of the tests in a case of the audit, in virtual time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from contract_tests.client.driving.trials import ClientRunner, Trial
from contract_tests.client.records import ClientExit
from tests.contract_tests.clients.good import Client, Listener

_TERMINATED = -15

Take = Callable[[bytes], int]


class Stopped(Exception):
    """The client has had all the time that there is."""


class VirtualTime:
    """The clock of a sandbox, moved by whoever sleeps; it stops a client that sleeps too long."""

    def __init__(self, http: httpx.Client, key: str, bound_s: float) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}
        self._bound_s = bound_s
        self.passed_s = 0.0
        self._call("PUT", "clock", {"mode": "manual"})

    def sleep(self, seconds: float) -> None:
        """Return when all that falls due meanwhile is done, callbacks too."""
        if self.passed_s + seconds > self._bound_s:
            raise Stopped
        self._call("POST", "clock/advance", {"seconds": seconds})
        self.passed_s += seconds

    def _call(self, method: str, path: str, body: dict[str, object]) -> None:
        self._http.request(
            method, f"/_mock/{path}", json=body, headers=self._headers
        ).raise_for_status()


def driven(kind: type[Client], http: httpx.Client) -> ClientRunner:
    """Return what runs such a client in a case: as a process would, but here and at once."""

    def drive(trial: Trial) -> ClientExit:
        time = VirtualTime(http, trial.key, kind.bound_s)
        client = kind(trial, http, time.sleep)
        status, timed_out = 0, False
        with ExitStack() as stack:
            if isinstance(client, Listener):
                client.callback_url = stack.enter_context(receiving(client.take))
            try:
                client.run()
            except Stopped:
                status, timed_out = _TERMINATED, True
            except Exception as error:  # noqa: BLE001  # a client may die of anything
                status = 1
                client.output.append(f"{type(error).__name__}: {error}")
        return ClientExit(
            exit_status=status,
            output="\n".join(client.output),
            timed_out=timed_out,
            after_s=time.passed_s,
        )

    return drive


@contextmanager
def receiving(take: Take) -> Iterator[str]:
    """Listen on a free loopback port; give the address for callbacks."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.take = take
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/callback"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    take: Take


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        status = self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except ConnectionError:
            return  # the sender waited no longer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as its base names it
        """Say nothing: standard error belongs to the suite."""
