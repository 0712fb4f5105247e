"""What must be true after a race, whatever the order in which requests were handled."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from mock_server.domain.snapshot import Snapshot
from mock_server.domain.task_snapshot import TaskSnapshot
from tests.mock_server.races.history import (
    Exchange,
    History,
    KeyView,
    step_of,
    steps_of_entries,
    steps_of_tasks,
)
from tests.mock_server.races.limits import BALANCE_MICROUSD, MAX_CONCURRENT, PRICE_MICROUSD, RATE
from tests.mock_server.races.script import KEYS, WAITS, Cut, Kind

_WINDOW_MS = 60_000
_COUNTED = {"submit", "status", "balance"}
_ALLOWED = {
    Kind.SUBMIT: {200, 429},
    Kind.STATUS: {200, 404, 429},
    Kind.BALANCE: {200, 429},
    Kind.RESULT: {200, 404},
    Kind.FINISH: {200, 404, 409},
    Kind.ADVANCE: {200, 409},
    Kind.CLOCK: {200},
    Kind.WAIT_FOR_TASK: {200, 404, 408},
    Kind.WAIT_FOR_ENTRIES: {200, 408},
    Kind.EVENTS: {200},
    Kind.RULE: {200},
    Kind.NEXT: {200},
    Kind.CLEAR_RULES: {200, 204},
    Kind.SETTINGS: {200},
    Kind.COUNTERS: {200},
    Kind.EXPORT: {200},
    Kind.RESTORE: {204, 409},
    Kind.RESET: {204},
    Kind.REMOVE: {204},
}


def violations(history: History) -> list[str]:
    """Return what should not have happened."""
    found = [*history.problems]
    for check in (_answers, _counters, _snapshots, _streams):
        found += check(history)
    for key in range(KEYS):
        found += (f"key {key}: {each}" for each in _of_key(history, key))
    return found


def _of_key(history: History, key: int) -> Iterator[str]:
    end = history.ends[key]
    yield from _of_snapshot(end.snapshot)
    yield from _kept(history, key, "task", [Kind.SUBMIT], steps_of_tasks)
    yield from _kept(
        history, key, "entry", [Kind.SUBMIT, Kind.STATUS, Kind.BALANCE], steps_of_entries
    )
    yield from _task_ids(history, key)
    yield from _journal(history, end)
    yield from _callbacks(history, end)
    if not history.drops(key):
        yield from _counted(end)
        yield from _advances(history, key)


def _answers(history: History) -> Iterator[str]:
    """Find requests without a response that their kind allows."""
    for each in history.exchanges:
        step = each.step
        allowed = _ALLOWED[step.kind]
        if step.cut is Cut.HALF and step.kind in WAITS:
            allowed = allowed | {400}
        if each.problem:
            yield f"no response: {each.problem} ({step})"
        elif each.status is None or each.status in allowed:
            continue
        elif each.status < 500 or "mock-rule" not in each.headers:
            yield f"status {each.status} {each.body[:200]!r} ({step})"


def _counters(history: History) -> Iterator[str]:
    """Find balances that are not those of the ledger, and tasks above the limit."""
    for each in history.exchanges:
        if each.step.kind is Kind.COUNTERS and each.status == 200:
            counters = json.loads(each.body)["counters"]
            live, succeeded = counters["live_tasks"], counters["tasks"]["success"]
            expected = BALANCE_MICROUSD - PRICE_MICROUSD * (live + succeeded)
            if round(counters["balance"] * 1_000_000) != expected:
                yield f"the balance is not that of the ledger: {counters} ({each.step})"
            if live > MAX_CONCURRENT:
                yield f"{live} tasks at once ({each.step})"


def _snapshots(history: History) -> Iterator[str]:
    for key, snapshot in history.exports:
        yield from (f"snapshot of key {key}: {each}" for each in _of_snapshot(snapshot))


def _of_snapshot(snapshot: Snapshot) -> Iterator[str]:
    tasks = snapshot.tasks
    settled = [task for task in tasks if task.is_settled]
    failed = sum(task.plan.fail_code is not None for task in settled)
    if (snapshot.succeeded, snapshot.failed) != (len(settled) - failed, failed):
        yield f"{snapshot.succeeded} + {snapshot.failed} tasks counted, {len(settled)} settled"
    if snapshot.balance_microusd != BALANCE_MICROUSD - PRICE_MICROUSD * (len(tasks) - failed):
        yield f"the balance is {snapshot.balance_microusd} with {len(tasks)} tasks, {failed} failed"
    if len(tasks) - len(settled) > MAX_CONCURRENT:
        yield f"{len(tasks) - len(settled)} tasks at once"
    if snapshot.dropped_tasks:
        yield f"{snapshot.dropped_tasks} tasks dropped, although there are places"
    if snapshot.ordinal != len(tasks) or len({task.id for task in tasks}) != len(tasks):
        yield f"{len(tasks)} tasks with {snapshot.ordinal} ordinals"
    yield from _window(snapshot.admitted_ms, "admitted")
    responses = Counter(e.status for e in snapshot.journal if e.operation != "callback")
    if snapshot.responses != responses:
        yield f"{snapshot.responses} responses counted, {dict(responses)} in the journal"


def _window(instants_ms: Sequence[int], what: str) -> Iterator[str]:
    """Find a window with too many requests (LIM-3)."""
    for first, last in zip(instants_ms, instants_ms[RATE:], strict=False):
        if last - first < _WINDOW_MS:
            yield f"more than {RATE} requests {what} within a window"
            return


def _kept(
    history: History,
    key: int,
    what: str,
    kinds: Sequence[Kind],
    contents: Callable[[Snapshot], set[int]],
) -> Iterator[str]:
    """Find accepted items that are missing although nothing dropped them, and unexpected items.

    A request, or the restore of a snapshot with the item, creates it. A reset, or the restore of a
    snapshot without the item, drops it.
    """
    present = contents(history.ends[key].snapshot)
    drops = history.drops(key)
    restored = {id(each): contents(each.restored) for each in drops if each.restored is not None}
    requests = {each.step.number: each for each in history.exchanges if each.step.kind in kinds}
    for number, sent in requests.items():
        creators: list[Exchange] = []
        if sent.step.key == key and sent.is_complete and _may_create(sent, what):
            creators.append(sent)
        creators += [each for each in drops if number in restored.get(id(each), ())]
        droppers = [each for each in drops if number not in restored.get(id(each), ())]
        if number in present:
            if not any(_may_survive(each, droppers) for each in creators):
                yield f"{what} of a request that had no effect, or dropped before ({sent.step})"
        else:
            for each in creators:
                if _is_sure(each, what) and not any(drop.ended > each.began for drop in droppers):
                    yield f"{what} lost ({sent.step})"
                    break


def _may_create(sent: Exchange, what: str) -> bool:
    return sent.status in {None, 200} or what == "entry"


def _is_sure(creator: Exchange, what: str) -> bool:
    return creator.status is not None and (creator.is_confirmed or what == "entry")


def _may_survive(creator: Exchange, droppers: Sequence[Exchange]) -> bool:
    return not any(drop.is_confirmed and drop.began > creator.ended for drop in droppers)


def _task_ids(history: History, key: int) -> Iterator[str]:
    """Find tasks whose id is not the one that the client got.

    A sandbox may be removed just after a submit, which is repeated in a new one then. A snapshot
    that was taken in between has the first task.
    """
    submits = {each.step.number: each for each in history.sent(Kind.SUBMIT) if each.status == 200}
    restored = {
        task.id
        for each in history.sent(Kind.RESTORE, key=key)
        if each.restored is not None
        for task in each.restored.tasks
    }
    for task in history.ends[key].snapshot.tasks:
        sent = submits.get(step_of(task.prompt))
        if sent is None:
            continue
        got = json.loads(sent.body)["data"]["taskId"]
        is_repeated = task.id in restored and _was_removed_during(history, sent)
        if got != task.id and not is_repeated:
            yield f"the task of step {sent.step.number} is {task.id}, its client got {got}"


def _was_removed_during(history: History, sent: Exchange) -> bool:
    """Whether the sandbox of a request may have been removed while it was handled."""
    return any(
        each.began < sent.ended and sent.began < each.ended
        for each in history.sent(Kind.REMOVE, key=sent.step.key)
    )


def _journal(history: History, end: KeyView) -> Iterator[str]:
    """Find holes, exchanges that are there twice, and statuses that no client got."""
    numbers = [entry.seq for entry in end.entries]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "journal numbers with holes"
    statuses = {each.step.number: each.status for each in history.exchanges}
    seen: Counter[int] = Counter()
    for entry in end.entries:
        if entry.step is None:
            continue
        seen[entry.step] += 1
        if statuses[entry.step] not in {None, entry.status}:
            yield f"step {entry.step} got {statuses[entry.step]}, the journal has {entry.status}"
    yield from (f"step {number} is in the journal {n} times" for number, n in seen.items() if n > 1)


def _counted(end: KeyView) -> Iterator[str]:
    """Find counters that do not agree with the journal of a sandbox that was never reset."""
    counted = [e for e in end.entries if e.operation in _COUNTED and e.status != 429]
    if end.snapshot.requests != len(counted):
        yield f"{end.snapshot.requests} requests counted, {len(counted)} in the journal"
    rejected = sum(entry.status == 429 for entry in end.entries)
    if end.snapshot.refused != rejected:
        yield f"{end.snapshot.refused} rejections counted, {rejected} in the journal"
    yield from _window(sorted(entry.at_ms for entry in counted), "recorded")


def _advances(history: History, key: int) -> Iterator[str]:
    """Find calls of `advance` that did not take turns, and attempts that two of them report."""
    answers = [json.loads(each.body) for each in history.sent(Kind.ADVANCE, key=key) if each.status]
    spans = sorted((answer["from_ms"], answer["now_ms"]) for answer in answers)
    for (_, end_ms), (start_ms, _) in pairwise(spans):
        if start_ms < end_ms:
            yield f"two calls of advance began before {end_ms}, at {spans}"
            return
    fired = Counter(
        (each["task_id"], each["attempt"]) for answer in answers for each in answer["fired"]
    )
    yield from (
        f"attempt {each} was fired {number} times" for each, number in fired.items() if number > 1
    )


def _callbacks(history: History, end: KeyView) -> Iterator[str]:
    """Find callbacks that were not delivered, or sent again after status 200.

    Each state that was restored from a snapshot may send its own callbacks.
    """
    deliveries = {delivery.task_id: delivery for delivery in end.snapshot.deliveries}
    for task in end.snapshot.tasks:
        if task.callback_url is None:
            continue
        number, delivery = step_of(task.prompt), deliveries.get(task.id)
        if delivery is None or delivery.state != "delivered":
            yield f"the callback of step {number} was not delivered: {delivery}"
            continue
        least, most = _promised(history, task)
        received = history.received.get(number, 0)
        if not least <= received <= most:
            yield f"{received} callbacks of step {number}, not {least} to {most}"


def _promised(history: History, task: TaskSnapshot) -> tuple[int, int]:
    """Return how many callbacks of a task there are at least, and at most."""
    assert task.callback_url is not None
    number, rejected = step_of(task.prompt), int(task.callback_url.split("/")[-2])
    restores = sum(
        each.restored is not None and number in steps_of_tasks(each.restored)
        for each in history.sent(Kind.RESTORE)
    )
    most = rejected + 1 + restores + history.is_interrupted
    return 0 if restores else rejected + 1, most


def _streams(history: History) -> Iterator[str]:
    """Find readers of events that did not get all entries in order."""
    for stream in history.streams:
        first = stream.numbers[0] if stream.numbers else math.nan
        if any(number != first + at for at, number in enumerate(stream.numbers)):
            yield f"events of key {stream.key} with holes: {stream.numbers}"
