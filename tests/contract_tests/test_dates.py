"""The times of a task are compared with the clock of its server, also without a control plane."""

import json
from email.utils import formatdate

import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.cases.status import dates
from contract_tests.server.events import Request, Response
from tests.contract_tests.fakes import FakeWorld, judged

(CASE,) = dates.CASES
START_S = 1_790_000_000.4


class Server(FakeWorld):
    """A server whose task takes 8 s; its times are off by so many seconds."""

    def __init__(self, created_off_s: float = 0.0, completed_off_s: float = 0.0) -> None:
        super().__init__(self._served)
        self._now_s = START_S
        self._created_s = START_S + created_off_s
        self._completed_s = START_S + 8 + completed_off_s

    def pause(self, seconds: float) -> None:
        self._now_s += seconds

    def _served(self, request: Request) -> Response:
        data: dict[str, object] = {"taskId": "1"}
        if request.method == "GET":
            data |= {"createTime": int(self._created_s * 1000), "state": "processing"}
        if self._now_s >= START_S + 8:
            data |= {"state": "success", "completeTime": int(self._completed_s * 1000)}
        headers = (("Date", formatdate(self._now_s, usegmt=True)),)
        body = json.dumps({"code": 200, "message": "success", "data": data}).encode()
        return Response(status=200, headers=headers, body=body)


def verdicts(server: Server) -> set[Verdict]:
    return {each.verdict for each in judged(CASE, server).result.findings
            if each.clause == "STA-9" and "by the Date" in each.expected}  # fmt: skip


def test_true_times_pass() -> None:
    assert verdicts(Server()) == {Verdict.PASS}


@pytest.mark.parametrize("off_s", [-3600, -4, 4, 3600])
def test_a_create_time_that_is_not_that_of_the_submit_fails(off_s: float) -> None:
    assert Verdict.FAIL in verdicts(Server(created_off_s=off_s))


@pytest.mark.parametrize("off_s", [-3600, -6, 6, 3600])
def test_a_complete_time_that_is_not_between_two_polls_fails(off_s: float) -> None:
    assert Verdict.FAIL in verdicts(Server(completed_off_s=off_s))
