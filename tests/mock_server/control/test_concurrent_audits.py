"""Audits run in threads; few of them run at the same time, and only one of a sandbox."""

import asyncio
from collections import Counter
from typing import cast

from starlette.responses import Response

from mock_server.control.authentication import Authenticator
from mock_server.control.resources.audit import AuditResource
from mock_server.domain.store import SandboxReader


class Sandbox:
    def __init__(self, number: int) -> None:
        self.id = str(number)


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
                audits._report(cast("SandboxReader", Sandbox(number % 4)), "json")
                for number in range(40)
            )
        )

        assert (audits.ended, audits.most) == (40, 2)

    asyncio.run(run())
