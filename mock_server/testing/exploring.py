"""Explores a client in virtual time: `ApixoMock.explore` and `ApixoMock.replay`."""

from collections.abc import Collection, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final

import msgspec

from contract_tests.client.exploring.coverage import CoverageFacts
from contract_tests.client.exploring.exploration import Explorer
from contract_tests.client.exploring.generation import Scope, generate
from contract_tests.client.exploring.invariants import BY_ID, IDS, violations_of
from contract_tests.client.exploring.reproduction import lines_of, reproduction_of, timeline_of
from contract_tests.client.exploring.scenario import Scenario, scenario_of
from mock_server.domain.nearest import did_you_mean
from mock_server.testing.client_call import Client
from mock_server.testing.explored_sandbox import BeginSandbox
from mock_server.testing.virtual_runs import VirtualRunner

_BUDGET_S: Final = 3600.0
_REAL_LIMIT_S: Final = 30.0


class InvariantViolation(AssertionError):
    """The client violates an invariant; the message has the shortest reproduction."""


class Exploration(msgspec.Struct, frozen=True, kw_only=True):
    """How much an exploration without a failure has tried."""

    scenarios: int
    coverage: CoverageFacts


def explore(
    begin: BeginSandbox,
    client: Client,
    *,
    examples: int,
    seed: int,
    ignore: Collection[str] = (),
) -> Exploration:
    """Run the client in generated scenarios. Raise InvariantViolation for the first failure."""
    judged = _judged(ignore)
    scope = Scope()
    with closing(
        VirtualRunner(begin, client, budget_s=_BUDGET_S, real_limit_s=_REAL_LIMIT_S)
    ) as runner:
        _require_requests(runner)
        explorer = Explorer(runner, judged)
        for failure in explorer.explore(islice(generate(seed, scope), examples)):
            text = "\n".join(lines_of(reproduction_of(failure)))
            raise InvariantViolation(
                f"{text}\nfound in scenario {explorer.tried} of {examples} with seed={seed}"
            )
    return Exploration(scenarios=explorer.tried, coverage=explorer.coverage.facts(scope))


def replay(
    begin: BeginSandbox,
    client: Client,
    *,
    rules: Sequence[dict[str, Any]],
    pictures: int = 1,
    restarts: Sequence[str] = (),
    real_time: bool = False,
    ignore: Collection[str] = (),
) -> None:
    """Run the client once with these rules. Raise InvariantViolation if it violates one."""
    judged = _judged(ignore)
    limit_s = _BUDGET_S if real_time else _REAL_LIMIT_S
    runner = VirtualRunner(
        begin, client, budget_s=_BUDGET_S, real_limit_s=limit_s, is_real_time=real_time
    )
    scenario = scenario_of(rules, pictures=pictures, restarts=restarts)
    if scenario is None:  # Nobody knows whether these rules prevent a success.
        judged -= {"X-DONE"}
        scenario = Scenario(pictures=pictures)
    with closing(runner):
        outcome = runner.run(scenario, rules, restarts)
    violated = [each for each in violations_of(outcome) if each.invariant in judged]
    if violated:
        lines = [
            f"{each.invariant} {BY_ID[each.invariant].title}; seen: {each.seen}."
            f" {BY_ID[each.invariant].advice}"
            for each in violated
        ]
        raise InvariantViolation("\n".join([*lines, "timeline:", *timeline_of(outcome)]))


def _judged(ignore: Collection[str]) -> frozenset[str]:
    names = [ignore] if isinstance(ignore, str) else list(ignore)
    for name in names:
        if name not in BY_ID:
            raise ValueError(f"ignore: unknown invariant {name!r}{did_you_mean(name, IDS)}")
    return frozenset(IDS) - frozenset(names)


def _require_requests(runner: VirtualRunner) -> None:
    """Raise AssertionError if the client does not reach the mock even without a fault."""
    outcome = runner.run(Scenario())
    if not outcome.evidence.exchanges:
        end = outcome.runs[0].end
        raise InvariantViolation(
            f"the client sent no request to the mock, so there is nothing to judge; it {end}."
            " Let it use job.base_url and job.api_key"
        )
