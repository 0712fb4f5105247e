"""Shows a failure as people repeat it: a timeline, rules, a curl command and a pytest test."""

import json
from collections.abc import Iterator
from pprint import pformat
from typing import Final

import msgspec

from contract_tests.client.exploring.exploration import Failure
from contract_tests.client.exploring.invariants import BY_ID
from contract_tests.client.exploring.outcome import Outcome
from contract_tests.client.exploring.scenario import Scenario
from contract_tests.client.records import HttpExchange
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.text import count, plain

_MAX_EXCHANGES: Final = 40
_MAX_END: Final = 300  # characters
_LINE_LENGTH: Final = 88


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest reproduction of a failure, as a report shows it.

    `events` says what the mock does, `timeline` what happened. `rules` is the body of
    `PUT /_mock/rules`.
    """

    invariant: str
    title: str
    seen: str
    advice: str
    events: tuple[str, ...]
    timeline: tuple[str, ...]
    rules: list[dict[str, object]]
    curl: str
    test: str
    found_in: tuple[str, ...]
    tries: int
    note: str = ""


def reproduction_of(failure: Failure, command: str | None = None) -> Reproduction:
    """Return how to repeat a failure; `command` is the client if it is a command."""
    invariant, scenario = BY_ID[failure.violation.invariant], failure.outcome.scenario
    return Reproduction(
        invariant=invariant.id,
        title=invariant.title,
        seen=failure.violation.seen,
        advice=invariant.advice,
        events=tuple(scenario.describe()),
        timeline=tuple(timeline_of(failure.outcome)),
        rules=scenario.rules,
        curl=_curl(scenario),
        test=_test(scenario, invariant.id, command),
        found_in=tuple(failure.found_in.describe()),
        tries=failure.tries,
        note=_note(failure),
    )


def lines_of(reproduction: Reproduction) -> Iterator[str]:
    """Yield a reproduction as readable text."""
    title = reproduction.title
    yield f"{reproduction.invariant} The client {title[0].lower()}{title[1:]}"
    yield f"seen:   {reproduction.seen}"
    yield f"change: {reproduction.advice}"
    if reproduction.note:
        yield f"note:   {reproduction.note}"
    yield f"shortest scenario, found with {count(reproduction.tries, 'further run')}:"
    yield from (f"  {number}. {each}" for number, each in enumerate(reproduction.events, 1))
    yield "timeline:"
    yield from (f"  {each}" for each in reproduction.timeline)
    yield "the same rules, for any client:"
    yield from (f"  {each}" for each in reproduction.curl.splitlines())
    yield "the same scenario as a test:"
    yield from (f"  {each}".rstrip() for each in reproduction.test.splitlines())


def _note(failure: Failure) -> str:
    if not failure.is_repeatable:
        return "the same scenario did not fail a second time, so it was not shortened"
    return "" if failure.is_shortest else "the time was over before the scenario was shortest"


def timeline_of(outcome: Outcome) -> Iterator[str]:
    """Yield the exchanges in seconds since the first one, then how each run ended."""
    redaction = Redaction([outcome.key])
    exchanges = outcome.evidence.exchanges
    start_ms = min((each.at_ms for each in exchanges), default=0)
    for each in exchanges[:_MAX_EXCHANGES]:
        seconds = (each.at_ms - start_ms) / 1000
        yield plain(redaction.text(f"{seconds:8.3f} s  {_exchange(each)}"))
    if len(exchanges) > _MAX_EXCHANGES:
        yield f"({len(exchanges) - _MAX_EXCHANGES} further exchanges are not shown)"
    for number, run in enumerate(outcome.runs, 1):
        which = f" for picture {number}" if len(outcome.runs) > 1 else ""
        yield plain(redaction.text(f"the client{which} {run.end}"))[:_MAX_END]
    for purchase in outcome.purchases:
        yield plain(f"task {purchase.task_id}: {purchase.state}")


def _exchange(exchange: HttpExchange) -> str:
    told = str(exchange.status or exchange.error or "no response")
    if state := exchange.state:
        told += f" {state}"
    if "retry-after" in {name.lower() for name, _ in exchange.response_headers}:
        told += f", Retry-After: {exchange.response_header('retry-after')}"
    faults = sorted(each for each in exchange.injected if each != "outcome steered")
    return f"{exchange.operation:8} {told}" + (f"  [{', '.join(faults)}]" if faults else "")


def _curl(scenario: Scenario) -> str:
    body = json.dumps({"rules": scenario.rules}).replace("'", r"'\''")
    return (
        'curl -X PUT "$APIXO_BASE_URL/_mock/rules"'
        ' -H "Authorization: Bearer $APIXO_API_KEY"'
        f" -d '{body}'"
    )


def _test(scenario: Scenario, invariant: str, command: str | None) -> str:
    arguments = [f"rules={_literal(scenario.rules)}"]
    if scenario.pictures > 1:
        arguments.append(f"pictures={scenario.pictures}")
    if scenario.restarts:
        arguments.append(f"restarts={list(scenario.restarts)!r}")
    client = "my_client"
    if command is not None:
        client = f"command={command!r}"
    inner = "".join(f"        {each},\n" for each in [client, *arguments])
    name = invariant.lower().replace("-", "_")
    where = "" if command is not None else "from my_package import my_client  # the client\n\n"
    return (
        f"{where}from mock_server.testing.sandbox import ApixoMock\n\n\n"
        f"def test_client_keeps_{name}(apixo_mock: ApixoMock) -> None:\n"
        f"    apixo_mock.replay(\n{inner}    )\n"
    )


def _literal(rules: list[dict[str, object]]) -> str:
    text = pformat(rules, width=_LINE_LENGTH - 14, sort_dicts=False)
    return text.replace("\n", "\n        ")
