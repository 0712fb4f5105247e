"""Write the exact state of a sandbox as a checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar

import msgspec

from mock_server.domain.counted_rule import Rule
from mock_server.domain.headers import Header
from mock_server.domain.journal import Entry
from mock_server.domain.rule_book import QueuedRule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox.checkpoint_format import (
    AdmittedRequests,
    DeliveryRows,
    End,
    EntryRow,
    EntryRows,
    Head,
    OvertakenDeliveries,
    QueueRows,
    RuleCounts,
    RuleRow,
    RuleRows,
    Section,
    TaskRow,
    TaskRows,
    write_sections,
)
from mock_server.domain.sandbox.state import SandboxState
from mock_server.domain.task import Ending, Order, Task

# The objects of a section, and their size. Encoding them takes one or two milliseconds.
_AT_ONCE = 1000
_BYTES_AT_ONCE = 1024 * 1024
T = TypeVar("T")
_encode = msgspec.msgpack.Encoder().encode


def checkpoint_of(state: SandboxState) -> Iterator[bytes]:
    """Return the slices of a checkpoint of the present state.

    All containers are copied at once. The rest is done slice by slice, so a caller may do other
    things in between, and the sandbox may change meanwhile.
    """
    book = state.book
    sections: list[Iterator[Section]] = [
        iter([_head(state)]),
        map(AdmittedRequests, _parts(state.window.instants_ms())),
        _rule_sections([_copy(rule) for rule in book.rules], is_profile=False),
        _rule_sections([_copy(rule) for rule in book.profile], is_profile=True),
        map(_queue, _parts(list(book.queue))),
        map(_tasks, _sized_parts(list(state.tasks.values()), lambda task: len(task.prompt))),
        map(DeliveryRows, _parts(list(state.deliveries))),
        map(OvertakenDeliveries, _parts(state.deliveries.overtaken)),
        map(_entries, _sized_parts(state.journal.weighed(), lambda weighed: weighed[1])),
        iter([End()]),
    ]
    return write_sections(chain.from_iterable(sections))


def _parts(values: Sequence[T]) -> Iterator[list[T]]:
    return (list(values[at : at + _AT_ONCE]) for at in range(0, len(values), _AT_ONCE))


def _sized_parts(values: Sequence[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    part: list[T] = []
    size = 0
    for value in values:
        part.append(value)
        size += size_of(value)
        if len(part) == _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _raw(definition: RuleDefinition) -> msgspec.Raw:
    return msgspec.Raw(_encode(definition))


def _head(state: SandboxState) -> Head:
    template = state.template
    return Head(
        id=state.id,
        is_broke=state.is_broke,
        used_ms=state.used_ms,
        initial_seed=template.seed,
        initial_settings=template.settings,
        initial_clock=template.clock,
        initial_rules=list(map(_raw, template.rules)),
        initial_profile_rules=list(map(_raw, template.profile_rules)),
        seed=state.seed,
        origin=state.origin,
        settings=state.settings,
        clock=state.clock.checkpoint(),
        rate_limit=state.window.limit,
        window_capacity=state.window.capacity,
        ledger=state.ledger.checkpoint(),
        ordinal=state.ordinal,
        requests=state.requests,
        rejected=state.rejected,
        responses=dict(state.responses),
        dropped_tasks=state.dropped_tasks,
        changes=state.changes,
        claims=state.deliveries.claims,
        last_entry=state.journal.last,
        made_rules=state.book.made,
    )


def _copy(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, tries=dict(rule.tries), hits=dict(rule.hits))


def _rule_sections(rules: Sequence[Rule], *, is_profile: bool) -> Iterator[Section]:
    for part in _parts(rules):
        rows = [
            RuleRow(rule.id, _raw(rule.definition), rule.identity, rule.seen, rule.applied)
            for rule in part
        ]
        yield RuleRows(rows, is_profile)
    for place, rule in enumerate(rules):
        for is_hits, counts in enumerate((rule.tries, rule.hits)):
            items = iter(counts.items())
            while part_of_counts := dict(islice(items, _AT_ONCE)):
                yield RuleCounts(is_profile, place, bool(is_hits), part_of_counts)


def _queue(rules: Sequence[QueuedRule]) -> QueueRows:
    return QueueRows([(each.id, _raw(each.definition), each.left) for each in rules])


def _tasks(tasks: Sequence[Task]) -> TaskRows:
    orders: dict[Order, int] = {}
    endings: dict[Ending, int] = {}
    rows = [
        TaskRow(
            task.end_ms,
            task.ordinal,
            task.id,
            task.prompt,
            task.created_ms,
            task.start_ms,
            orders.setdefault(task.order, len(orders)),
            endings.setdefault(task.ending, len(endings)),
            task.polls_seen,
            task.is_settled,
        )
        for task in tasks
    ]
    return TaskRows(list(orders), list(endings), rows)


def _entries(weighed: Sequence[tuple[Entry, int]]) -> EntryRows:
    headers: dict[tuple[Header, ...], int] = {}
    rows = [
        EntryRow(
            msgspec.structs.replace(entry, headers=(), answer_headers=()),
            headers.setdefault(entry.headers, len(headers)),
            headers.setdefault(entry.answer_headers, len(headers)),
            weight,
        )
        for entry, weight in weighed
    ]
    return EntryRows(list(headers), rows)
