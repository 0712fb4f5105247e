"""Shows a failure as people repeat it: a timeline, rules, a curl command and a pytest test."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

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
_FEW: Final = 3  # So many equal lines are shown; more are summed up.
_IMPORT: Final = """\
from my_package import my_client  # the client

from mock_server.testing.sandbox import ApixoMock


"""
_COMMAND: Final = """\
import subprocess

from mock_server.testing.job import Job
from mock_server.testing.sandbox import ApixoMock


def my_client(job: Job) -> None:
    words = job.words(COMMAND)
    ended = subprocess.run(words, capture_output=True, text=True)
    print(ended.stdout, ended.stderr)
    ended.check_returncode()


"""


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
    rules: list[dict[str, Any]]
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
    yield from findings_of(reproduction)
    for title, code in codes_of(reproduction):
        yield title
        yield from (f"  {each}".rstrip() for each in code.splitlines())


def findings_of(reproduction: Reproduction) -> Iterator[str]:
    """Yield what is violated, what to change, the events and the timeline."""
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


def codes_of(reproduction: Reproduction) -> tuple[tuple[str, str], ...]:
    """Return what to copy, each with its title."""
    return (
        ("the same rules, for any client:", reproduction.curl),
        ("the same scenario as a test:", reproduction.test),
    )


def _note(failure: Failure) -> str:
    if not failure.is_repeatable:
        return "the same scenario did not fail a second time, so it was not shortened"
    return "" if failure.is_shortest else "the time was over before the shortest scenario was found"


def timeline_of(outcome: Outcome) -> Iterator[str]:
    """Yield the exchanges in seconds since the first one, then how each run ended."""
    redaction = Redaction([outcome.key])
    instant_ms = _arrival_ms if not outcome.evidence.is_manual else _answer_ms
    exchanges = sorted(outcome.evidence.exchanges, key=instant_ms)
    start_ms = min(map(instant_ms, exchanges), default=0)
    for text, same in groupby(exchanges[:_MAX_EXCHANGES], key=_exchange):
        times_s = [(instant_ms(each) - start_ms) / 1000 for each in same]
        shown_s = times_s if len(times_s) <= _FEW else times_s[:1]
        for at_s in shown_s:
            yield plain(redaction.text(f"{at_s:8.3f} s  {text}"))
        if len(times_s) > len(shown_s):
            yield f"{'':12}{len(times_s) - 1} more of these, until {times_s[-1]:.3f} s"
    if len(exchanges) > _MAX_EXCHANGES:
        yield f"({len(exchanges) - _MAX_EXCHANGES} further exchanges are not shown)"
    for number, run in enumerate(outcome.runs, 1):
        which = f" for picture {number}" if len(outcome.runs) > 1 else ""
        yield plain(redaction.text(f"the client{which} {run.end}"))[:_MAX_END]
    for purchase in outcome.purchases:
        yield plain(f"task {purchase.task_id}: {purchase.state}")


def _arrival_ms(exchange: HttpExchange) -> int:
    """Return when a request arrived: long before its answer if a rule delays that."""
    return exchange.at_ms if exchange.began_ms is None else exchange.began_ms


def _answer_ms(exchange: HttpExchange) -> int:
    return exchange.at_ms


def _exchange(exchange: HttpExchange) -> str:
    status = exchange.shown_status
    told = str(status or exchange.error or "no response")
    if (state := exchange.state) and status == exchange.status:
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
    rules = "".join(f"            {each},\n" for each in map(_literal, scenario.rules))
    arguments = [f"rules=[\n{rules}        ]"]
    if scenario.pictures > 1:
        arguments.append(f"pictures={scenario.pictures}")
    if scenario.restarts:
        arguments.append(f"restarts={_literal(list(scenario.restarts))}")
    if command is not None:
        arguments.insert(0, "real_time=True")
    inner = "".join(f"        {each},\n" for each in ["my_client", *arguments])
    name = invariant.lower().replace("-", "_")
    head = _IMPORT if command is None else _COMMAND.replace("COMMAND", json.dumps(command))
    return (
        f"{head}def test_client_keeps_{name}(apixo_mock: ApixoMock) -> None:\n"
        f"    apixo_mock.replay(\n{inner}    )\n"
    )


def _literal(value: object) -> str:
    """Return the value as Python writes it, with double quotes."""
    if isinstance(value, dict):
        items = (f"{_literal(key)}: {_literal(each)}" for key, each in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
