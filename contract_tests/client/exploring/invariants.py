"""The invariants: what holds for a correct client in every scenario."""

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from itertools import chain, groupby, pairwise
from typing import Final

import msgspec

from contract_tests.client.attribution import calls_of
from contract_tests.client.evidence import minimum_wait_s, never_cancelled
from contract_tests.client.exploring.deliveries import problem_of
from contract_tests.client.exploring.outcome import ClientRun, Delivery, Outcome, Purchase
from contract_tests.client.records import API_OPERATIONS, HttpExchange, Trait
from contract_tests.client.rule import Axis, Level
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.text import count, writable

_IMMEDIATE_S: Final = 0.1
_MAX_THROTTLED: Final = 2  # 429 responses to one request after which no client may give up.
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "x-api-key", "cookie"})
_REDACTED: Final = "[redacted]"  # The mock's journal has it in place of the key.


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """How a client violates an invariant; `event` is a number in the journal."""

    invariant: str
    seen: str
    event: int | None = None


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement that holds in every scenario. `check` yields what violates it."""

    id: str
    title: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level = Level.MUST
    advice: str
    check: Callable[[Outcome], Iterator[tuple[str, int | None]]]
    not_for: frozenset[Trait] = frozenset()
    """The invariant is not judged if one of these is declared about the client."""


def violations_of(outcome: Outcome) -> tuple[Violation, ...]:
    """Return the violations in a scenario, those about money first; one for each invariant."""
    redaction = Redaction([outcome.key])
    found = []
    for invariant in INVARIANTS:
        for seen, event in invariant.check(outcome):
            text = writable(redaction.text(seen))
            found.append(Violation(invariant=invariant.id, seen=text, event=event))
            break
    return tuple(found)


def _check_payment(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    for run in outcome.runs:
        for order in outcome.orders_of(run):
            paid = [each for each in order if each.is_paid]
            if len(paid) <= run.starts:
                continue
            ids = {each.task_id for each in paid}
            submits = outcome.evidence.accepted_submits
            last = max((each.number for each in submits if each.task_id in ids), default=None)
            after = f" in {run.starts} starts" if run.starts > 1 else ""
            yield f"{len(paid)} tasks were paid for to get one picture{after}", last


def _check_end(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    for run in outcome.runs:
        if run.timed_out:
            yield f"the client {run.end}", None


def _check_pictures(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    for run in outcome.runs:
        for order in outcome.orders_of(run) if run.is_success else ():
            problems = [
                _problem(outcome, run, purchase)
                for purchase in order
                if purchase.state == "success"
            ]
            if problems and all(problems):
                yield f"the client reported success, but {problems[-1]}", None


def _problem(outcome: Outcome, run: ClientRun, purchase: Purchase) -> str:
    if run.deliveries is not None:
        return problem_of(run.deliveries, purchase, outcome.purchases_of(run))
    printed = [Delivery(name=url, url=url) for url in purchase.result_urls if url in run.output] + [
        Delivery(name=each.path, url=url)
        for each in outcome.evidence.downloads(purchase.task_id)
        for url in purchase.result_urls
        if url.endswith(each.resource_path) and each.status == 200 and not each.injected
    ]
    problem = problem_of(printed, purchase, [purchase])
    return f"{problem}: it was neither downloaded nor printed" if problem else ""


def _check_failure_is_told(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    for run in outcome.runs:
        purchases = outcome.purchases_of(run)
        if run.is_success and not any(each.state == "success" for each in purchases):
            states = ", ".join(each.state for each in purchases) or "it has no task"
            yield f"the client {run.end}, but no task succeeded ({states})", None


def _check_completion(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    """Yield runs that failed although the scenario has nothing that prevents a success."""
    events = [outcome.scenario.events[place] for place in outcome.applied]
    if not all(event.kind.is_gentle for event in events):
        return
    for run in outcome.runs:
        throttled = [each for each in outcome.exchanges_of(run) if each.status == 429]
        same = groupby(sorted(throttled, key=lambda e: e.operation), key=lambda e: e.operation)
        is_moderate = all(len(list(group)) <= _MAX_THROTTLED for _, group in same)
        if not run.is_success and not run.timed_out and run.starts == 1 and is_moderate:
            after = f" after {count(len(throttled), '429 response')}" if throttled else ""
            event = throttled[-1].number if throttled else None
            yield f"the client {run.end}{after}, although nothing prevented a success", event


def _check_key(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    for run in outcome.runs:
        if outcome.key in run.output or outcome.key in run.end:
            yield "the client printed the API key, or put it into an error", None
        for each in run.deliveries or ():
            if outcome.key.encode() in each.content or outcome.key in each.url:
                yield f"{each.name} contains the API key", None
    for exchange in outcome.evidence.of("result", *API_OPERATIONS):
        if place := _place_of_key(exchange, outcome.key):
            yield f"the API key was sent in {place} ({exchange.operation})", exchange.number


def _place_of_key(exchange: HttpExchange, key: str) -> str:
    """Return where a request contains the key although it must not (AUTH-1, RES-3)."""
    if exchange.operation == "result" and any(
        name.lower() in _SECRET_HEADERS for name, _ in exchange.headers
    ):
        return "a header of a download"
    for place, text in (("the address", exchange.path), ("the body", exchange.body)):
        if key in text or _REDACTED in text:
            return place
    return ""


def _check_limits(outcome: Outcome) -> Iterator[tuple[str, int | None]]:
    if not outcome.is_timed:
        return
    for run in outcome.runs:
        if run.starts > 1:
            continue  # A client that was started again cannot know of the response.
        calls = calls_of(outcome.exchanges_of(run), never_cancelled)
        for each, retry in chain.from_iterable(pairwise(call.attempts) for call in calls):
            if each.status != 429:
                continue
            required_s, header = _required(each)
            waited_s = (retry.at_ms - each.at_ms) / 1000
            if waited_s < minimum_wait_s(required_s):
                yield (
                    (
                        f"the {each.operation} request was repeated {waited_s:.1f} s after a 429"
                        f" ({header})"
                    ),
                    retry.number,
                )


def _required(throttled: HttpExchange) -> tuple[float, str]:
    """Return the seconds that a client must wait, and the header that says so."""
    value = throttled.response_header("retry-after")
    if value is None:
        return _IMMEDIATE_S, "no Retry-After"
    if value.isdecimal():
        return float(value), f"Retry-After: {value}"
    now = parsedate_to_datetime(throttled.response_header("date") or value)
    wait_s = (parsedate_to_datetime(value) - now).total_seconds() - 1  # Dates have whole seconds.
    return max(0.0, wait_s), f"Retry-After: {value}"


INVARIANTS: Final = (
    Invariant(
        id="X-PAY",
        title="Must never pay twice for one picture",
        clauses=("BIL-1", "SUB-1"),
        axis=Axis.MANNERS,
        advice="Send a submit again only after a 429, or if no connection was established. A"
        " submit whose response is lost, unreadable or a 5xx may have been accepted.",
        check=_check_payment,
    ),
    Invariant(
        id="X-PIC",
        title="Must have the right pictures when it reports success",
        clauses=("STA-7", "RES-2"),
        axis=Axis.OUTCOME,
        advice="Report success only once every picture of the task is complete. Retry a download"
        " that fails, and check that its content is a whole image.",
        check=_check_pictures,
        not_for=frozenset({Trait.AGENT}),
    ),
    Invariant(
        id="X-TELL",
        title="Must report a failure",
        clauses=("FAIL-1", "STA-8"),
        axis=Axis.OUTCOME,
        advice="Exit with a status other than 0, or raise, if there is no picture. Believe the"
        " state of the task in a status response, and only callbacks for your own task.",
        check=_check_failure_is_told,
        not_for=frozenset({Trait.AGENT}),
    ),
    Invariant(
        id="X-END",
        title="Must end",
        clauses=("TIM-1",),
        axis=Axis.OUTCOME,
        advice="Limit the time for a task and the number of retries. After that, report an error.",
        check=_check_end,
    ),
    Invariant(
        id="X-KEY",
        title="Must keep the API key secret",
        clauses=("AUTH-1", "RES-3"),
        axis=Axis.MANNERS,
        advice="Send the key in the header Authorization to the API only. Do not print it, and do"
        " not send it with downloads.",
        check=_check_key,
    ),
    Invariant(
        id="X-LIM",
        title="Must wait after a 429 before it repeats the request",
        clauses=("LIM-1", "LIM-5"),
        axis=Axis.MANNERS,
        advice="Wait as long as Retry-After says, or at least one second without it.",
        check=_check_limits,
    ),
    Invariant(
        id="X-DONE",
        title="Must get its pictures if nothing prevents it",
        clauses=("LIM-1", "CB-4", "ENV-4"),
        axis=Axis.OUTCOME,
        advice="Wait and retry after a 429. Ignore unknown members, repeated callbacks and"
        " callbacks for other tasks, and poll until the task has ended.",
        check=_check_completion,
        not_for=frozenset({Trait.AGENT, Trait.NO_RETRY}),
    ),
)  # fmt: skip
IDS: Final = tuple(each.id for each in INVARIANTS)
BY_ID: Final = {each.id: each for each in INVARIANTS}
