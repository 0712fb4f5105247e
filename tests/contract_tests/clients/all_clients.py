"""Every mutant client, the cases that it is tried in, and which rules blame it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx
import msgspec

from contract_tests.client.driving.trials import run_trial
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.client.situation import Situation, on, on_submit
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.mock_process import start_mock
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.clients import (
    broken_callbacks,
    broken_ends,
    broken_nerves,
    broken_requests,
    broken_waiting,
)
from tests.contract_tests.clients.driving import driven
from tests.contract_tests.clients.good import Batch, Client, FallsBack, Listener, WantsTwo

_SEED: Final = 1
_CALLBACK_TIMEOUT_S: Final = 2
_SOME: Final = frozenset(
    {"A-REQ-001", "A-FAIL-001", "A-LIM-001", "A-PAY-001", "A-ROB-001", "A-CB-001", "A-CB-008"}
)

GOOD: tuple[type[Client], ...] = (Client, WantsTwo, Batch, Listener, FallsBack)
MUTANTS: tuple[type[Client], ...] = (
    *broken_requests.MUTANTS,
    *broken_waiting.MUTANTS,
    *broken_ends.MUTANTS,
    *broken_callbacks.MUTANTS,
    *broken_nerves.MUTANTS,
)


def _situations() -> Iterator[Situation]:
    """Yield those of the audit, and one for a rule that a client with one prompt does not meet."""
    for situation in SITUATIONS:
        if situation.id == "A-ROB-004":  # five seconds of real time prove no more than these do
            short = (situation.staged[0], on("status", {"latency": "500ms"}, times=1))
            yield msgspec.structs.replace(situation, staged=short)
        else:
            yield situation
    yield Situation(
        id="many-tasks",
        title="no task ends, and there are many of them",
        judged=("C-LIM-007",),
        staged=(on_submit(hold=True),),
    )


_ALL: Final = tuple(_situations())


def name_of(kind: type[Client]) -> str:
    return "-".join(re.findall(r"[A-Z][a-z]*|\d+", kind.__name__)).lower()


def cases_of(kind: type[Client]) -> tuple[Situation, ...]:
    """Return all situations that a client can be tried in."""
    return tuple(each for each in _ALL if _is_for(kind, each))


def telling_cases(kind: type[Client]) -> tuple[Situation, ...]:
    """Return those that judge the rule that a mutant breaks, and some more."""
    return tuple(each for each in cases_of(kind) if kind.breaks in each.judged or each.id in _SOME)


def _is_for(kind: type[Client], situation: Situation) -> bool:
    if kind.only:
        return situation.id in kind.only
    if situation.id == "many-tasks":
        return False
    return situation.needs_receiver == issubclass(kind, Listener)


@contextmanager
def mock() -> Iterator[httpx.Client]:
    """Serve a mock; give a client of it, whose kept connections are younger than the server's."""
    limits = httpx.Limits(keepalive_expiry=1)
    switches = ("--callback-timeout", str(_CALLBACK_TIMEOUT_S))
    with (
        start_mock(_SEED, *switches) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False, limits=limits) as http,
    ):
        yield http


def tried(kind: type[Client], situation: Situation, http: httpx.Client) -> AuditedCase:
    return run_trial(CasePlan(situation, frozenset(situation.judged)), http, driven(kind, http))


def blamed(
    kind: type[Client], situations: Iterable[Situation], http: httpx.Client
) -> Mapping[str, tuple[str, ...]]:
    """Return the rules that find fault with a client, and in which cases."""
    found: dict[str, tuple[str, ...]] = {}
    for situation in situations:
        case = tried(kind, situation, http)
        if case.verdict is Verdict.ERROR:
            raise AssertionError(f"{name_of(kind)}, {case.id}: {case.reason}")
        for finding in case.findings:
            if finding.verdict in {Verdict.FAIL, Verdict.WARN}:
                found[finding.rule] = (*found.get(finding.rule, ()), case.id)
    return found
