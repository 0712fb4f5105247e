"""Runs cases in parallel, each in its own world, and returns their results."""

import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from threading import Event as Signal

import msgspec

from contract_tests.contract.register import Register
from contract_tests.contract.verdicts import Finding, Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import sort_for_run
from contract_tests.server.checkers import check_trace
from contract_tests.server.checkers.run_ids import RunIds
from contract_tests.server.closing_look import look_again
from contract_tests.server.contexts import Context
from contract_tests.server.events import Event
from contract_tests.server.interruptions import CaseInterruption
from contract_tests.server.probe import Probe
from contract_tests.server.reports.report import CaseResult, case_result
from contract_tests.server.syntax_trees import one_tree_at_a_time
from contract_tests.server.target import Target
from contract_tests.server.world import World


class CaseRun(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a case, and the events that happened while it ran."""

    result: CaseResult
    events: tuple[Event, ...]


class Runner:
    """Runs cases. `world_of` makes the world of a case; `skips` returns why it is skipped."""

    def __init__(
        self,
        target: Target,
        register: Register,
        world_of: Callable[[Case], World],
        *,
        seed: int,
        skips: Callable[[Case], str] = lambda _: "",
        expected_failures: Mapping[str, str] | None = None,
        stop: Signal | None = None,
    ) -> None:
        self._target = target
        self._register = register
        self._world_of = world_of
        self._seed = seed
        self._skips = skips
        self._expected = expected_failures or {}
        self._stop = stop or Signal()
        self._ids = RunIds(target)

    def run(
        self,
        cases: Sequence[Case],
        workers: int,
        on_start: Callable[[str], None] = lambda _: None,
    ) -> Generator[CaseRun, None, None]:
        """Yield each result as soon as it is known, in any order.

        `on_start` gets the id of each case that starts; worker threads call it. Closing the
        generator stops the run: cases that have not started do not start, and the worlds of those
        that run are told to stop.
        """

        def run_case(case: Case) -> CaseRun:
            on_start(case.id)
            return self.run_case(case)

        executor = ThreadPoolExecutor(workers, thread_name_prefix="case")
        with one_tree_at_a_time():
            try:
                order = sort_for_run(cases, shares_key=not self._target.has_own_keys)
                alone = [case for case in order if case.runs_alone and self._is_in_real_time]
                for case in alone:
                    yield executor.submit(run_case, case).result()
                futures = [executor.submit(run_case, case) for case in order if case not in alone]
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                self._stop.set()
                raise
            finally:
                executor.shutdown(cancel_futures=True)

    @property
    def _is_in_real_time(self) -> bool:
        """Whether cases may disturb each other's times. Cases that share a key never overlap."""
        return self._target.has_own_keys and not self._target.has_control

    def run_case(self, case: Case) -> CaseRun:
        """Run one case and judge what it found."""
        expected = self._expected.get(case.id, "")
        reason = self._skips(case)
        if reason:
            return self._result(case, [], [], Verdict.SKIP, reason, expected, 0.0)
        probe = Probe(self._world_of(case), self._target, seed=self._seed, provokes=case.provokes)
        ended_early, started_s = None, time.perf_counter()
        try:
            probe.reset()
            case.run(probe)
        except CaseInterruption as interruption:
            ended_early, reason = interruption.verdict, str(interruption)
        except Exception as error:  # noqa: BLE001  # An error in one case must not stop the others.
            ended_early, reason = Verdict.ERROR, f"the case was interrupted: {_where(error)}"
        findings = list(probe.findings)
        try:
            findings += self._checked(case, probe)
        except Exception as error:  # noqa: BLE001  # As above; the case's own findings stay.
            ended_early, reason = Verdict.ERROR, f"a checker was interrupted: {_where(error)}"
        took_s = time.perf_counter() - started_s
        return self._result(
            case, findings, probe.events, ended_early, reason, expected, took_s, probe.contexts
        )

    def _checked(self, case: Case, probe: Probe) -> list[Finding]:
        """Return what the checkers find in all exchanges of a case, however it ended."""
        is_whole = not self._stop.is_set()
        if is_whole:
            with suppress(CaseInterruption):  # The case has ended; what follows is a bonus.
                look_again(probe)
            probe.collect_callbacks()
        found = check_trace(probe.events, self._target, has_all_callbacks=is_whole)
        # A violation that the case has reproduced is not shown a second time.
        known = {each.clause for each in probe.findings if each.reproduction is not None}
        return [each for each in found if each.clause not in known]

    def unfinished(self, case: Case, reason: str) -> CaseResult:
        """Return the result of a case that has not ended, because the run was interrupted."""
        return self._result(case, [], [], Verdict.INCONCLUSIVE, reason, "", 0.0).result

    def _result(
        self,
        case: Case,
        findings: Sequence[Finding],
        events: Sequence[Event],
        ended_early: Verdict | None,
        reason: str,
        expected_failure: str,
        duration_s: float,
        contexts: Sequence[Context] = (),
    ) -> CaseRun:
        result = case_result(
            case,
            findings,
            self._register,
            is_live=self._target.is_live,
            has_control=self._target.has_control,
            base_url=self._target.base_url,
            events=events,
            ended_early=ended_early,
            reason=reason,
            expected_failure=expected_failure,
            duration_s=duration_s,
            contexts=contexts,
        )
        return CaseRun(result=result, events=tuple(events))


def _where(error: Exception) -> str:
    """Return an error, and the place that raised it."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{error!r} in {where.name}, line {where.lineno}"
