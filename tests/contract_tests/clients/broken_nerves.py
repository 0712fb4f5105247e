"""Mutants of C-ROB: they die of what a network or a proxy may do."""

from typing import Any

import httpx

from tests.contract_tests.clients.good import Client


class DiesOfAnErrorPage(Client):
    breaks = "C-ROB-001"

    def pause_after_refusal(
        self, operation: str, answer: httpx.Response, tries: int
    ) -> float | None:
        if answer.headers["content-type"] == "text/html":
            return None
        return super().pause_after_refusal(operation, answer, tries)


class DiesOfAnEmptyBody(Client):
    breaks = "C-ROB-002"

    def decoded(self, answer: httpx.Response) -> Any:
        if not answer.content:
            raise TypeError("there is nothing in it")
        return super().decoded(answer)


class _Dies(Client):
    of: type[Exception]

    def pause_after_loss(self, operation: str, error: Exception, tries: int) -> float | None:
        if operation == "status" and isinstance(error, self.of):
            return None
        return super().pause_after_loss(operation, error, tries)


class DiesOfHalfABody(_Dies):
    breaks = "C-ROB-003"
    of = httpx.RemoteProtocolError


class DiesOfASlowAnswer(_Dies):
    breaks = "C-ROB-004"
    of = httpx.ReadTimeout
    timeout_s = 0.3

    def status_request(self, task_id: str) -> httpx.Request:
        request = super().status_request(task_id)
        request.extensions["timeout"] = httpx.Timeout(self.timeout_s).as_dict()
        return request


class DiesOfUnknownMembers(Client):
    breaks = "C-ROB-005"
    known = frozenset(
        {"taskId", "state", "createTime", "resultJson", "completeTime", "costTime", "failCode",
         "failMsg"}
    )  # fmt: skip

    def decoded(self, answer: httpx.Response) -> Any:
        told = super().decoded(answer)
        if strange := told["data"].keys() - self.known:
            raise TypeError(f"unknown members: {strange}")
        return told


class TakesMembersByTheirPlace(Client):
    breaks = "C-ROB-005"

    def decoded(self, answer: httpx.Response) -> Any:
        _, _, data = super().decoded(answer).values()
        return {"data": dict(data)}


class DiesOfAReset(_Dies):
    breaks = "C-ROB-006"
    of = httpx.ReadError


MUTANTS: tuple[type[Client], ...] = (
    DiesOfAnErrorPage, DiesOfAnEmptyBody, DiesOfHalfABody, DiesOfASlowAnswer,
    DiesOfUnknownMembers, TakesMembersByTheirPlace, DiesOfAReset,
)  # fmt: skip
