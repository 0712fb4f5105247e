"""Read the state of a sandbox from a checkpoint."""

from collections import defaultdict, deque
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from mock_server.domain.clock import VirtualClock
from mock_server.domain.counted_rule import Rule
from mock_server.domain.deliveries import Deliveries, Delivery
from mock_server.domain.errors import DamagedLog
from mock_server.domain.journal import Entry, Journal
from mock_server.domain.ledger import Ledger
from mock_server.domain.planner import SUCCESS_BY_DEFAULT
from mock_server.domain.rule_book import QueuedRule, RuleBook
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox.checkpoint_format import (
    AdmittedRequests,
    AnySection,
    DeliveryRows,
    End,
    EntryRows,
    Head,
    OvertakenDeliveries,
    QueueRows,
    RuleCounts,
    RuleRow,
    RuleRows,
    TaskRows,
    read_sections,
)
from mock_server.domain.sandbox.state import SandboxState, SandboxTemplate
from mock_server.domain.task import Ending, Order, Task
from mock_server.domain.task_draws import TaskDraws
from mock_server.domain.window import Window


def state_of_checkpoint(raw: bytes, template: SandboxTemplate) -> SandboxState:
    """Return the state in a checkpoint. Only the catalogue is the one of the template.

    Raises NewerFormat, DamagedLog.
    """
    try:
        return _Reader(read_sections(raw), template).state()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LookupError) as error:
        raise DamagedLog(f"the checkpoint cannot be read: {error}") from error


@lru_cache(maxsize=1000)  # Sandboxes of one server have the same initial rules and profiles.
def _definition(raw: bytes) -> RuleDefinition:
    return msgspec.msgpack.decode(raw, type=RuleDefinition)


class _Reader:
    """Collects sections, and makes a state of them."""

    def __init__(self, sections: Iterator[AnySection], template: SandboxTemplate) -> None:
        head = next(sections, None)
        if not isinstance(head, Head):
            raise DamagedLog("the checkpoint does not begin with its head")
        self._head = head
        self._template = template
        self._instants_ms: list[int] = []
        self._own: list[Rule] = []
        self._profile: list[Rule] = []
        self._queue: deque[QueuedRule] = deque()
        self._tasks: dict[str, Task] = {}
        self._orders: dict[Order, Order] = {}
        self._endings: dict[Ending, Ending] = {SUCCESS_BY_DEFAULT: SUCCESS_BY_DEFAULT}
        self._deliveries: list[Delivery] = []
        self._overtaken: list[str] = []
        self._entries: list[Entry] = []
        for section in sections:
            self._add(section)

    def state(self) -> SandboxState:
        head = self._head
        template = self._initial()
        state = SandboxState(head.id, template, is_broke=head.is_broke, real_ms=head.used_ms)
        state.seed, state.origin = head.seed, head.origin
        state.task_draws = TaskDraws(head.seed, head.origin)
        is_initial = head.settings == template.settings
        state.settings = template.settings if is_initial else head.settings
        state.clock = VirtualClock.of_checkpoint(head.clock)
        state.window = Window.of(head.rate_limit, head.window_capacity, self._instants_ms)
        state.tasks = self._tasks
        state.ledger = Ledger.of_checkpoint(self._tasks, head.ledger)
        state.deliveries = Deliveries.of_checkpoint(head.claims, self._deliveries, self._overtaken)
        dropped = head.last_entry - len(self._entries)
        state.journal = Journal.of(self._entries, dropped)
        state.book = RuleBook.of_rules(
            head.seed, head.origin, self._own, self._profile, head.made_rules
        )
        state.book.queue = self._queue
        state.ordinal = head.ordinal
        state.requests, state.rejected = head.requests, head.rejected
        state.responses = defaultdict(int, head.responses)
        state.dropped_tasks = head.dropped_tasks
        state.changes = head.changes
        return state

    def _initial(self) -> SandboxTemplate:
        """Return the initial values; those that are equal to the template's are the same object."""
        head = self._head
        initial = msgspec.structs.replace(
            self._template,
            seed=head.initial_seed,
            settings=head.initial_settings,
            clock=head.initial_clock,
            rules=tuple(map(_definition, map(bytes, head.initial_rules))),
            profile_rules=tuple(map(_definition, map(bytes, head.initial_profile_rules))),
        )
        return self._template if initial == self._template else initial

    def _add(self, section: AnySection) -> None:
        match section:
            case AdmittedRequests():
                self._instants_ms += section.instants_ms
            case RuleRows():
                rules = self._profile if section.is_profile else self._own
                rules += map(_rule, section.rows)
            case RuleCounts():
                rules = self._profile if section.is_profile else self._own
                rule = rules[section.place]
                (rule.hits if section.is_hits else rule.tries).update(section.counts)
            case QueueRows():
                self._queue += [
                    QueuedRule(id=rule_id, definition=_definition(bytes(raw)), left=left)
                    for rule_id, raw, left in section.rows
                ]
            case TaskRows():
                self._add_tasks(section)
            case DeliveryRows():
                self._add_deliveries(section)
            case OvertakenDeliveries():
                self._overtaken += section.task_ids
            case EntryRows():
                self._add_entries(section)
            case Head() | End():
                raise DamagedLog("the checkpoint has two heads")

    def _add_tasks(self, section: TaskRows) -> None:
        orders = [self._orders.setdefault(each, each) for each in section.orders]
        endings = [self._endings.setdefault(each, each) for each in section.endings]
        for row in section.rows:
            self._tasks[row.id] = Task(
                end_ms=row.end_ms,
                ordinal=row.ordinal,
                id=row.id,
                prompt=row.prompt,
                created_ms=row.created_ms,
                start_ms=row.start_ms,
                order=orders[row.order],
                ending=endings[row.ending],
                polls_seen=row.polls_seen,
                is_settled=row.is_settled,
            )

    def _add_deliveries(self, section: DeliveryRows) -> None:
        for delivery in section.deliveries:
            task = self._tasks[delivery.task_id]
            # Share the texts. Nothing else refers to a delivery that has just been decoded.
            msgspec.structs.force_setattr(delivery, "task_id", task.id)
            if delivery.url == task.order.callback_url:
                msgspec.structs.force_setattr(delivery, "url", task.order.callback_url)
            self._deliveries.append(delivery)

    def _add_entries(self, section: EntryRows) -> None:
        headers = section.headers
        for row in section.rows:
            entry = row.entry  # Nothing else refers to it, because it has just been decoded.
            msgspec.structs.force_setattr(entry, "headers", headers[row.headers])
            msgspec.structs.force_setattr(entry, "answer_headers", headers[row.answer_headers])
            self._entries.append(entry)


def _rule(row: RuleRow) -> Rule:
    return Rule(
        id=row.id,
        definition=_definition(bytes(row.definition)),
        identity=row.identity,
        seen=row.seen,
        applied=row.applied,
    )
