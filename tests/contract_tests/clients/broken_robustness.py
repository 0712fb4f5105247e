"""Mutants of C-ROB: they stop at faults of a network or a proxy."""

from typing import Any

import httpx

from tests.contract_tests.clients.driving import TimeBudgetExceeded
from tests.contract_tests.clients.good import Client


class StopsAtAnErrorPage(Client):
    violates = "C-ROB-001"

    def pause_after_rejection(
        self, operation: str, answer: httpx.Response, attempts: int
    ) -> float | None:
        if answer.headers["content-type"] == "text/html":
            return None
        return super().pause_after_rejection(operation, answer, attempts)


class CrashesOnAnEmptyBody(Client):
    violates = "C-ROB-002"

    def decode(self, answer: httpx.Response) -> Any:
        if not answer.content:
            raise TypeError("the body is empty")
        return super().decode(answer)


class _StopsAtALoss(Client):
    of: type[Exception]

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        if operation == "status" and isinstance(error, self.of):
            return None
        return super().pause_after_loss(operation, error, attempts)


class StopsAtATruncatedBody(_StopsAtALoss):
    violates = "C-ROB-003"
    of = httpx.RemoteProtocolError


class StopsAtASlowResponse(_StopsAtALoss):
    violates = "C-ROB-004"
    of = httpx.ReadTimeout

    @property
    def timeout_s(self) -> float:
        return 0.3


class CrashesOnUnknownMembers(Client):
    violates = "C-ROB-005"
    known = frozenset(
        {"taskId", "state", "createTime", "resultJson", "completeTime", "costTime", "failCode",
         "failMsg"}
    )  # fmt: skip

    def decode(self, answer: httpx.Response) -> Any:
        content = super().decode(answer)
        if unknown := content["data"].keys() - self.known:
            raise TypeError(f"unknown members: {unknown}")
        return content


class ReadsMembersByPosition(Client):
    violates = "C-ROB-005"

    def decode(self, answer: httpx.Response) -> Any:
        _, _, data = super().decode(answer).values()
        return {"data": dict(data)}


class StopsAtAReset(_StopsAtALoss):
    violates = "C-ROB-006"
    of = httpx.ReadError


class NeverTimesOut(Client):
    violates = "C-ROB-007"

    def pause_after_loss(self, operation: str, error: Exception, attempts: int) -> float | None:
        if isinstance(error, httpx.ReadTimeout):
            raise TimeBudgetExceeded  # Without a timeout, it would still wait.
        return super().pause_after_loss(operation, error, attempts)


MUTANTS: tuple[type[Client], ...] = (
    StopsAtAnErrorPage, CrashesOnAnEmptyBody, StopsAtATruncatedBody, StopsAtASlowResponse,
    CrashesOnUnknownMembers, ReadsMembersByPosition, StopsAtAReset,
    NeverTimesOut,
)  # fmt: skip
