"""Audits run in threads: few at the same time, one a sandbox, and none without a client."""

import asyncio
import threading
from collections import Counter
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from mock_server.control.authentication import Authenticator
from mock_server.control.errors import ControlError
from mock_server.control.resources.audit import AuditResource
from mock_server.domain.store import SandboxReader
from mock_server.domain.task import Task
from mock_server.web.wire_faults import EXTENSION
from tests.mock_server.runtime.listening import pass_time, settled
from tests.patience import PATIENCE_S


class Sandbox:
    """An empty sandbox."""

    dropped_entries = 0
    mode = "real"

    def __init__(self, number: int) -> None:
        self.id = str(number)

    def tasks(self, real_ms: int) -> tuple[list[Task], int]:
        return [], real_ms

    def entries(self) -> list[object]:
        return []

    def clock(self, _: int) -> "Sandbox":
        return self


class Client:
    """The connection of a client that leaves when the test says so."""

    def __init__(self) -> None:
        self.has_left = asyncio.Event()

    async def stopped_sending(self) -> None:
        await self.has_left.wait()


def request(client: Client | None = None) -> Request:
    return Request({"type": "http", "extensions": {EXTENSION: client} if client else {}})


class Audits(AuditResource):
    """Audits that take some turns of the loop, and count how many run at the same time."""

    def __init__(self) -> None:
        super().__init__(
            cast("Authenticator", None), real_ms=lambda: 0, base_url="", seed=lambda: 0
        )
        self.running: Counter[str] = Counter()
        self.most = 0
        self.ended = 0

    async def _report_now(self, sandbox: SandboxReader, _: object) -> Response:
        self.running[sandbox.id] += 1
        self.most = max(self.most, self.running.total())
        assert self.running[sandbox.id] == 1
        for _ in range(5):
            await asyncio.sleep(0)
        self.running[sandbox.id] -= 1
        self.ended += 1
        return Response()


def test_one_audit_of_a_sandbox_runs_at_a_time_and_two_of_all() -> None:
    """Before, 60 audits of one key delayed each request of another key by seconds."""

    async def run() -> None:
        audits = Audits()
        await asyncio.gather(
            *(
                audits._report(cast("SandboxReader", Sandbox(number % 4)), "json", request())
                for number in range(40)
            )
        )

        assert (audits.ended, audits.most) == (40, 2)

    asyncio.run(run())


class EndlessAudits(AuditResource):
    """Audits that run until they are cancelled."""

    def __init__(self) -> None:
        super().__init__(
            cast("Authenticator", None), real_ms=lambda: 0, base_url="", seed=lambda: 0
        )
        self.has_begun = asyncio.Event()
        self.were_cancelled: list[bool] = []
        self._loop = asyncio.get_running_loop()

    def _judged(self, *_: object, is_cancelled: threading.Event, **__: Any) -> bytes:
        self._loop.call_soon_threadsafe(self.has_begun.set)
        self.were_cancelled.append(is_cancelled.wait(PATIENCE_S))
        return b""

    def audit(self, request: Request) -> "asyncio.Task[Response]":
        sandbox = cast("SandboxReader", Sandbox(0))
        return asyncio.create_task(self._report(sandbox, "json", request))


def test_audit_ends_when_its_request_is_cancelled() -> None:
    """Before, a server that stopped waited for the thread of the audit, up to a minute."""

    async def run() -> None:
        audits = EndlessAudits()
        audit = audits.audit(request())
        await audits.has_begun.wait()

        audit.cancel()

        with pytest.raises(asyncio.CancelledError):
            await audit
        await asyncio.get_running_loop().shutdown_default_executor()
        assert audits.were_cancelled == [True]

    asyncio.run(run())


def test_audit_ends_a_second_after_its_client_has_left() -> None:
    async def run() -> None:
        audits, client = EndlessAudits(), Client()
        audit = audits.audit(request(client))
        waiting = audits.audit(request(client))
        await audits.has_begun.wait()

        client.has_left.set()
        await settled()
        assert not audit.done()  # It may have closed only its sending side.
        pass_time(1)

        for each in (audit, waiting):
            with pytest.raises(ControlError, match="closed by the client"):
                await each
        await asyncio.get_running_loop().shutdown_default_executor()
        assert audits.were_cancelled == [True]

    asyncio.run(run())
