"""Cases and worlds that tests of the kit itself are made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract_tests.contract.register import load_register
from contract_tests.server.case import Case
from contract_tests.server.events import Deliveries, Delivery, Request, Response
from contract_tests.server.probe import Probe
from contract_tests.server.reports.report import CaseResult, Report, clause_results, summary_of
from contract_tests.server.runner import CaseRun, Runner
from contract_tests.server.target import Target

REGISTER = load_register()
OK = Response(status=200, body=b'{"code": 200, "message": "success", "data": null}')


class FakeWorld:
    """Answers each request as told, remembers it, and lets no time pass."""

    def __init__(self, answer: Callable[[Request], Response] = lambda _: OK) -> None:
        self.asked: list[Request] = []
        self._answer = answer

    def exchange(self, request: Request) -> Response:
        self.asked.append(request)
        return self._answer(request)

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        last = self.exchange(request)
        return ((last.status, count),), last

    def pause(self, seconds: float) -> None:
        """Do not wait."""

    def script_receiver(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        """Nobody comes."""

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        return ()

    def received(self) -> tuple[Deliveries, ...]:
        return ()


def find_all(clauses: Sequence[str]) -> Callable[[Probe], None]:
    """Return the body of a case that sends one request and finds that all clauses hold."""

    def run(probe: Probe) -> None:
        answer = probe.send("GET", "/")
        for clause in clauses:
            probe.check(clause, holds=True, expected="an answer", seen=answer)

    return run


def find(*, holds: bool, clause: str = "SUB-1") -> Callable[[Probe], None]:
    """Return what a case does that finds this of a clause, without asking."""

    def run(probe: Probe) -> None:
        probe.check(clause, holds, expected="that it holds", seen=f"that it is {holds}")

    return run


def a_case(
    run: Callable[[Probe], None] | None = None,
    *,
    case_id: str = "S-SUB-901",
    clauses: tuple[str, ...] = ("SUB-1",),
    **given: Any,
) -> Case:
    return Case(
        id=case_id,
        title=given.pop("title", "a case of a test"),
        clauses=clauses,
        sends="one request",
        expects="an answer",
        run=run or find_all(clauses),
        **given,
    )


def a_target(*, is_live: bool = False) -> Target:
    return Target(
        base_url="http://127.0.0.1:1",
        is_live=is_live,
        has_other_key=not is_live,
        has_own_keys=not is_live,
    )


def runner(
    world: FakeWorld | None = None,
    *,
    is_live: bool = False,
    skips: Callable[[Case], str] = lambda _: "",
    expected_failures: Mapping[str, str] | None = None,
) -> Runner:
    the_world = world or FakeWorld()
    return Runner(
        a_target(is_live=is_live),
        REGISTER,
        lambda _: the_world,
        seed=1,
        skips=skips,
        expected_failures=expected_failures,
    )


def judged(case: Case, world: FakeWorld | None = None, **given: Any) -> CaseRun:
    return runner(world, **given).run_case(case)


def report_of(*results: CaseResult, base_url: str = "http://127.0.0.1:1") -> Report:
    clauses = clause_results(results, REGISTER)
    return Report(
        version=1,
        base_url=base_url,
        is_live=False,
        profile="full",
        seed=1,
        settings=None,
        cases=results,
        clauses=clauses,
        summary=summary_of(results, clauses, REGISTER),
    )
