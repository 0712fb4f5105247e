"""Runs cases side by side, each in a world of its own, and reports what they found."""

import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from contract_tests.contract.register import Register
from contract_tests.contract.verdicts import Finding, Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import in_running_order
from contract_tests.server.events import Event
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet, TargetFailure
from contract_tests.server.probe import Probe
from contract_tests.server.reports.report import CaseResult, case_result
from contract_tests.server.target import Target
from contract_tests.server.world import World

_ENDS = {
    PreconditionNotMet: Verdict.INCONCLUSIVE,
    TargetFailure: Verdict.ERROR,
    CaseSkipped: Verdict.SKIP,
}


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case, and all that passed while it ran."""

    result: CaseResult
    events: tuple[Event, ...]


class Runner:
    """`world_of` makes the world of a case; `skips` says why one is not run, or nothing."""

    def __init__(
        self,
        target: Target,
        register: Register,
        world_of: Callable[[Case], World],
        *,
        seed: int,
        skips: Callable[[Case], str] = lambda _: "",
        expected_failures: Mapping[str, str] | None = None,
    ) -> None:
        self._target = target
        self._register = register
        self._world_of = world_of
        self._seed = seed
        self._skips = skips
        self._expected = expected_failures or {}

    def run(self, cases: Sequence[Case], workers: int) -> Generator[Ran, None, None]:
        """Give the results in the order of the cases, each as soon as it is there.

        Who stops asking for results stops the run: what has not begun does not begin.
        """
        executor = ThreadPoolExecutor(workers, thread_name_prefix="case")
        try:
            began = {
                case.id: executor.submit(self.judged, case) for case in in_running_order(cases)
            }
            for case in cases:
                yield began[case.id].result()
        finally:
            executor.shutdown(cancel_futures=True)

    def judged(self, case: Case) -> Ran:
        expected = self._expected.get(case.id, "")
        reason = self._skips(case)
        if reason:
            return self._result(case, [], [], Verdict.SKIP, reason, expected, 0.0)
        probe = Probe(self._world_of(case), self._target, seed=self._seed, provokes=case.provokes)
        trouble, began_s = None, time.perf_counter()
        try:
            probe.begin()
            case.run(probe)
        except (PreconditionNotMet, TargetFailure, CaseSkipped) as end:
            trouble, reason = _ENDS[type(end)], str(end)
        except Exception as error:  # noqa: BLE001  # one case must not take the others with it
            where = traceback.extract_tb(error.__traceback__)[-1]
            trouble = Verdict.ERROR
            reason = f"the case broke off: {error!r} at {where.name}, line {where.lineno}"
        took_s = time.perf_counter() - began_s
        return self._result(case, probe.findings, probe.events, trouble, reason, expected, took_s)

    def _result(
        self,
        case: Case,
        findings: Sequence[Finding],
        events: Sequence[Event],
        trouble: Verdict | None,
        reason: str,
        expected_failure: str,
        duration_s: float,
    ) -> Ran:
        result = case_result(
            case,
            findings,
            self._register,
            is_live=self._target.is_live,
            base_url=self._target.base_url,
            events=events,
            trouble=trouble,
            reason=reason,
            expected_failure=expected_failure,
            duration_s=duration_s,
        )
        return Ran(result=result, events=tuple(events))
