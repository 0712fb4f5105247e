"""All test clients, the situations that they run in, and the rules that they violate."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Final

import httpx
import msgspec
import pytest

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
    broken_requests,
    broken_results,
    broken_robustness,
    broken_waiting,
)
from tests.contract_tests.clients.driving import runner_of
from tests.contract_tests.clients.good import (
    Batch,
    Client,
    HostBoundClient,
    Listener,
    PollingListener,
    TwoImageClient,
)
from tests.properties import is_deep

_SEED: Final = 1
_CALLBACK_TIMEOUT_S: Final = 2
_FEW: Final = frozenset({"A-REQ-001", "A-CB-001"})
_SEVERAL: Final = _FEW | {"A-FAIL-001", "A-LIM-001", "A-PAY-001", "A-ROB-001", "A-CB-008"}

GOOD: tuple[type[Client], ...] = (
    Client, TwoImageClient, HostBoundClient, Batch, Listener, PollingListener,
)  # fmt: skip
MUTANTS: tuple[type[Client], ...] = (
    *broken_requests.MUTANTS,
    *broken_waiting.MUTANTS,
    *broken_ends.MUTANTS,
    *broken_results.MUTANTS,
    *broken_callbacks.MUTANTS,
    *broken_robustness.MUTANTS,
)


def _situations() -> Iterator[Situation]:
    """Yield the situations of the audit, and one with many tasks for C-LIM-007."""
    for situation in SITUATIONS:
        if situation.id == "A-ROB-004":  # A shorter delay in real time proves as much.
            short = (situation.staged[0], on("status", {"latency": "500ms"}, times=1))
            yield msgspec.structs.replace(situation, staged=short)
        else:
            yield situation
    yield Situation(
        id="many-tasks",
        title="Many tasks, of which none ends",
        judged=("C-LIM-007",),
        staged=(on_submit(hold=True),),
    )


_ALL: Final = tuple(_situations())


def name_of(kind: type[Client]) -> str:
    """Return the name of a client's class in lower case with hyphens."""
    return "-".join(re.findall(r"[A-Z][a-z]*|\d+", kind.__name__)).lower()


def cases_of(kind: type[Client]) -> tuple[Situation, ...]:
    """Return all situations that a client can run in."""
    return tuple(each for each in _ALL if _is_for(kind, each))


def main_cases(kind: type[Client]) -> tuple[Situation, ...]:
    """Return the situations that judge the rule that a mutant violates, and some more.

    The deep profile adds several, the quick profile the one in which nothing goes wrong.
    """
    more = _SEVERAL if is_deep() else _FEW
    return tuple(each for each in cases_of(kind) if kind.violates in each.judged or each.id in more)


def _is_for(kind: type[Client], situation: Situation) -> bool:
    if kind.only_in:
        return situation.id in kind.only_in
    if situation.id == "many-tasks":
        return False
    return situation.needs_receiver == issubclass(kind, Listener)


@pytest.fixture(scope="module")
def mock_http() -> Iterator[httpx.Client]:
    """Give an HTTP client for a mock that the tests of a module share."""
    with mock() as http:
        yield http


@contextmanager
def mock() -> Iterator[httpx.Client]:
    """Start a mock and give an HTTP client for it, which closes idle connections first."""
    limits = httpx.Limits(keepalive_expiry=1)
    switches = ("--callback-timeout", str(_CALLBACK_TIMEOUT_S))
    with (
        start_mock(_SEED, *switches) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False, limits=limits) as http,
    ):
        yield http


def try_client(kind: type[Client], situation: Situation, http: httpx.Client) -> AuditedCase:
    plan = CasePlan(situation, frozenset(situation.judged))
    return run_trial(plan, http, runner_of(kind, http), Event()).case


def blaming_rules(
    kind: type[Client], situations: Iterable[Situation], http: httpx.Client
) -> Mapping[str, tuple[str, ...]]:
    """Return the rules that a client violates, with the ids of the cases that show it."""
    found: dict[str, tuple[str, ...]] = {}
    for situation in situations:
        case = try_client(kind, situation, http)
        if case.verdict is Verdict.ERROR:
            raise AssertionError(f"{name_of(kind)}, {case.id}: {case.reason}")
        for finding in case.findings:
            if finding.verdict in {Verdict.FAIL, Verdict.WARN}:
                found[finding.rule] = (*found.get(finding.rule, ()), case.id)
    return found
