"""The documented limits of a server without a control plane are found exactly."""

import math
from collections.abc import Sequence

import msgspec
import pytest

from contract_tests.contract.provider import BALANCE
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.cases.limits import documented
from contract_tests.server.events import Request, Response
from contract_tests.server.reports.report import CaseResult
from contract_tests.server.runner import Runner
from contract_tests.server.target import Target
from tests.contract_tests.fakes import REGISTER, FakeWorld, judged

OK = b'{"code": 200, "message": "success", "data": 1.5}'
FULL = b'{"code": 429, "message": "too many requests", "data": null}'
WINDOW_S = 60.0
(RATE_CASE, TASKS_CASE) = documented.CASES


class LimitedWorld(FakeWorld):
    """A server that accepts `limit` requests in any 60 s; `used` were accepted just before."""

    def __init__(self, limit: int, used: int, retry_after_off_s: int = 0) -> None:
        super().__init__(self._timed)
        self._retry_after_off_s = retry_after_off_s
        self._limit = limit
        self._now_s = 0.0
        self._accepted_s = [0.0] * used

    def pause(self, seconds: float) -> None:
        self._now_s += seconds

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        passed = min(count, max(0, self._limit - self._used()))
        self._accepted_s += [self._now_s] * passed
        runs: Sequence[tuple[int, int]] = ((200, passed), (429, count - passed))
        last = Response(status=200, body=OK) if passed == count else self._rejection()
        return tuple(run for run in runs if run[1]), last

    def _answered(self, request: Request) -> Response:
        if self._used() >= self._limit:
            return self._rejection()
        self._accepted_s.append(self._now_s)
        return Response(status=200, body=OK, headers=(("Date", self._date()),))

    def _timed(self, request: Request) -> Response:
        now_ms = int(self._now_s * 1000)
        answer = self._answered(request)
        return msgspec.structs.replace(answer, sent_ms=now_ms, answered_ms=now_ms)

    def _used(self) -> int:
        return sum(self._now_s - at_s < WINDOW_S for at_s in self._accepted_s)

    def _rejection(self) -> Response:
        left_s = min(at_s for at_s in self._accepted_s if self._now_s - at_s < WINDOW_S)
        seconds = math.ceil(left_s + WINDOW_S - self._now_s) + self._retry_after_off_s
        return Response(status=429, body=FULL, headers=(("Retry-After", str(seconds)),))

    def _date(self) -> str:
        return f"Sat, 28 Nov 2026 00:{int(self._now_s) // 60:02}:{int(self._now_s) % 60:02} GMT"


def test_a_true_retry_after_passes() -> None:
    assert retry_after_verdicts(0) == {Verdict.PASS}


@pytest.mark.parametrize("off_s", [-30, -3, 3, 30])
def test_a_retry_after_that_is_too_long_or_too_short_gives_a_warning(off_s: int) -> None:
    assert Verdict.WARN in retry_after_verdicts(off_s)


def retry_after_verdicts(off_s: int) -> set[Verdict]:
    result = judged(RATE_CASE, LimitedWorld(documented.RATE, 0, off_s)).result
    return {each.verdict for each in result.findings if each.clause == "LIM-5"}


def verdicts(limit: int, used: int, *, shares_key: bool = True) -> set[Verdict]:
    """Return the verdicts on LIM-1; other clauses are not what this server is made for."""
    target = Target(base_url="http://127.0.0.1:1", is_live=False, has_own_keys=not shares_key)
    world = LimitedWorld(limit, used)
    result = Runner(target, REGISTER, lambda _: world, seed=1).run_case(RATE_CASE).result
    return {each.verdict for each in result.findings if each.clause == "LIM-1"}


@pytest.mark.parametrize("shares_key", [False, True])
@pytest.mark.parametrize("used", [0, 1, 7_000])
def test_the_documented_limit_passes_even_after_an_earlier_run(
    used: int,
    shares_key: bool,  # noqa: FBT001
) -> None:
    assert verdicts(documented.RATE, used, shares_key=shares_key) == {Verdict.PASS}


@pytest.mark.parametrize("used", [0, 1, 7_000])
@pytest.mark.parametrize("off_by", [-5_000, -1, 1, 5_000])
def test_any_other_limit_fails(off_by: int, used: int) -> None:
    assert Verdict.FAIL in verdicts(documented.RATE + off_by, used)


@pytest.mark.parametrize("off_by", [-5_000, -1, 1, 5_000])
def test_any_other_limit_of_a_new_key_fails(off_by: int) -> None:
    assert Verdict.FAIL in verdicts(documented.RATE + off_by, 0, shares_key=False)


class CalendarWorld(LimitedWorld):
    """A server that counts calendar minutes; a burst takes ten seconds, the first over two."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, 0)
        self._now_s = 55.0

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        half = count // 2
        before, _ = super().burst(request, half)
        self._now_s += 10
        after, last = super().burst(request, count - half)
        passed = sum(number for status, number in (*before, *after) if status == 200)
        runs = ((200, passed), (429, count - passed))
        return tuple(run for run in runs if run[1]), last

    def _used(self) -> int:
        return sum(at_s // WINDOW_S == self._now_s // WINDOW_S for at_s in self._accepted_s)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (documented.RATE, Verdict.PASS),
        (documented.RATE - 1, Verdict.FAIL),
        (documented.RATE + 1, Verdict.FAIL),
    ],
)
def test_a_server_may_count_calendar_minutes(limit: int, verdict: Verdict) -> None:
    result = judged(RATE_CASE, CalendarWorld(limit)).result

    assert {each.verdict for each in result.findings if each.clause == "LIM-1"} == {verdict}


class BusyWorld(FakeWorld):
    """A server that accepts `limit` tasks in progress, and takes time for each submit."""

    def __init__(self, limit: int, lives_s: Sequence[float], submit_s: float) -> None:
        super().__init__(self._timed)
        self._limit = limit
        self._lives_s = lives_s
        self._submit_s = submit_s
        self._now_s = 1_700_000_000.0
        self._tasks: list[tuple[float, float]] = []

    def pause(self, seconds: float) -> None:
        self._now_s += seconds

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        sent_ms = int(self._now_s * 1000)
        answers = [self._submitted() for _ in range(count)]
        passed = sum(answer.status == 200 for answer in answers)
        runs = ((200, passed), (429, count - passed))
        last = msgspec.structs.replace(answers[-1], sent_ms=sent_ms)
        return tuple(run for run in runs if run[1]), last

    def _timed(self, request: Request) -> Response:
        sent_ms = int(self._now_s * 1000)
        answer = self._submitted() if request.method == "POST" else self._status(request)
        now_ms = int(self._now_s * 1000)
        return msgspec.structs.replace(answer, sent_ms=sent_ms, answered_ms=now_ms)

    def _submitted(self) -> Response:
        self._now_s += self._submit_s
        if sum(ends_s > self._now_s for _, ends_s in self._tasks) >= self._limit:
            return Response(status=429, body=FULL)
        life_s = self._lives_s[len(self._tasks) % len(self._lives_s)]
        self._tasks.append((self._now_s, self._now_s + life_s))
        return answer_with(taskId=str(len(self._tasks) - 1))

    def _status(self, request: Request) -> Response:
        if request.path == BALANCE:
            return Response(status=200, body=OK)
        [number] = [value for name, value in request.query if name == "taskId"]
        born_s, ends_s = self._tasks[int(number)]
        data = {"taskId": number, "state": "processing", "createTime": int(born_s * 1000)}
        if ends_s <= self._now_s:
            data |= {"state": "success", "completeTime": int(ends_s * 1000)}
        return answer_with(**data)


def answer_with(**data: object) -> Response:
    envelope = {"code": 200, "message": "success", "data": data}
    return Response(status=200, body=msgspec.json.encode(envelope))


def tasks_result(world: FakeWorld) -> CaseResult:
    target = Target(base_url="http://127.0.0.1:1", is_live=False)
    return Runner(target, REGISTER, lambda _: world, seed=1).run_case(TASKS_CASE).result


def tasks_verdicts(world: FakeWorld) -> set[Verdict]:
    return {each.verdict for each in tasks_result(world).findings if each.clause == "LIM-2"}


def test_the_documented_limit_of_tasks_passes_if_the_submits_are_fast() -> None:
    world = BusyWorld(documented.TASKS, lives_s=(1.0, 0.6, 1.4), submit_s=0.0003)

    assert tasks_verdicts(world) == {Verdict.PASS}


@pytest.mark.parametrize("off_by", [-500, -1, 1, 500])
def test_any_other_limit_of_tasks_fails(off_by: int) -> None:
    world = BusyWorld(documented.TASKS + off_by, lives_s=(30.0, 20.0, 50.0), submit_s=0.002)

    assert Verdict.FAIL in tasks_verdicts(world)


@pytest.mark.parametrize("lives_s", [(3.0, 0.5), (0.5, 2.0), (1.0,)])
def test_tasks_that_end_during_the_submits_are_no_violation(lives_s: tuple[float, ...]) -> None:
    result = tasks_result(BusyWorld(documented.TASKS, lives_s=lives_s, submit_s=0.002))

    assert "LIM-2" not in {each.clause for each in result.findings}
    assert "Let the server take 8 s or more for a task" in result.reason


def test_tasks_that_fill_the_limit_at_the_second_attempt_are_enough() -> None:
    class Slow(BusyWorld):
        def pause(self, seconds: float) -> None:
            super().pause(seconds)
            self._submit_s = 0.0003

    assert tasks_verdicts(Slow(documented.TASKS, lives_s=(1.0,), submit_s=0.002)) == {Verdict.PASS}
