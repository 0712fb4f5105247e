"""The complete state of a sandbox as one document, to restore it in any sandbox.

It contains no API key. `origin` and `seed` determine all random draws, so a restored sandbox
continues as the original would, even on a server with another seed.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from operator import attrgetter
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType
from msgspec.structs import force_setattr

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.counted_rule import RuleSnapshot
from mock_server.domain.deliveries import Attempt, DeliveryState
from mock_server.domain.errors import InvalidValue, quoted
from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.injected import FaultKind, Injected, injected_of_text
from mock_server.domain.headers import Header
from mock_server.domain.integers import MAX_INTEGER, Integer
from mock_server.domain.journal import Entry
from mock_server.domain.json_objects import objects_in
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.operation import Operation
from mock_server.domain.outcome import check_fail_code
from mock_server.domain.rule_book import RuleBookSnapshot
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import check_weight
from mock_server.domain.sandbox_settings import (
    MAX_RATE_LIMIT,
    PROFILES,
    ClockSettings,
    SandboxSettings,
)
from mock_server.domain.snapshot_bounds import (
    Bytes,
    CallbackUrl,
    Count,
    FaultText,
    Headers,
    Instant,
    PlannedInstant,
    RuleId,
    SandboxId,
    Status,
    TaskId,
    Text,
)
from mock_server.domain.steps import run_at_once
from mock_server.domain.task import TASK_ID_PATTERN, sandbox_id_in
from mock_server.domain.task_snapshot import TaskSnapshot
from mock_server.domain.validation import decode_json

T = TypeVar("T")

# The maximum number and size of items that are read in one step.
_STEP = 100
_STEP_BYTES = 256 * 1024
_is_task_id = re.compile(TASK_ID_PATTERN).fullmatch
# An effect that postpones a callback has only these.
_POSTPONING = {
    (FaultKind.LATENCY, ""),
    *((FaultKind.CALLBACK, fault.value) for fault in CallbackFault if fault.traits.delays),
}


class DeliverySnapshot(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    task_id: TaskId
    url: CallbackUrl
    state: DeliveryState
    due_ms: PlannedInstant | None
    attempts: Annotated[list[Attempt], Meta(max_length=100)]
    ruled: Count = 0
    # The id of a rule, and the text of what it injects.
    put_off_by: tuple[RuleId, FaultText] = ("", "")
    until_overtaken: bool | UnsetType = UNSET


class EntrySnapshot(Entry, frozen=True, array_like=False, forbid_unknown_fields=True):
    """A journal entry that also has the text of `injected`, as version 1 of the format had it."""

    at_ms: Instant
    real_ms: Instant
    operation: Operation
    task_id: Text
    status: Status
    duration_us: Integer
    request: Bytes
    answer: Bytes
    method: Text = ""
    path: Text = ""
    query: Bytes = b""
    headers: Headers = ()
    answer_headers: Headers = ()
    answer_bytes: Count = 0
    rule: RuleId = ""
    injected: Annotated[tuple[Injected, ...], Meta(max_length=100)] = ()
    error: Text = ""
    text: FaultText = msgspec.field(name="fault", default="")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        make: Callable[..., Self] = cls
        return make(*_values_of(entry), entry.fault)

    def entry(self) -> Entry:
        return Entry(*_values_of(self))


_values_of: Callable[[Entry], tuple[Any, ...]] = attrgetter(*Entry.__struct_fields__)


class Snapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A snapshot, version 1. Instants are Unix milliseconds of the sandbox's clock.

    It has a `__dict__`, which is never encoded: see `sandbox/restoring.py`.
    """

    version: Literal[1] = 1
    id: SandboxId  # The sandbox from which it was taken.
    origin: SandboxId
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    settings: SandboxSettings
    clock: ClockSettings
    now_ms: Instant
    # The requests that still count for LIM-1, oldest first.
    admitted_ms: Annotated[list[Instant], Meta(max_length=MAX_RATE_LIMIT)]
    ordinal: Count
    requests: Count
    refused: Count
    responses: dict[Status, Count] = {}  # The keys are statuses. Older snapshots do not have it.
    dropped_tasks: Count
    succeeded: Count
    failed: Count
    balance_microusd: Integer
    tasks: list[TaskSnapshot]
    deliveries: list[DeliverySnapshot]
    journal_dropped: Count
    journal: list[EntrySnapshot]
    rules: RuleBookSnapshot


class _Outline(Snapshot):
    """A snapshot whose long lists are not decoded yet."""

    tasks: Raw  # type: ignore[assignment]
    deliveries: Raw  # type: ignore[assignment]
    journal: Raw  # type: ignore[assignment]


def parse_snapshot(raw: bytes, catalogue: Catalogue) -> Snapshot:
    """Return the snapshot in a JSON text, checked. Raises InvalidValue."""
    return run_at_once(parsing_steps(raw, catalogue))


def parsing_steps(raw: bytes, catalogue: Catalogue) -> Generator[None, None, Snapshot]:
    """Return what `parse_snapshot` returns, and yield about every millisecond before that."""
    outline = decode_json(raw, _Outline, "snapshot")
    yield
    if outline.settings.profile not in PROFILES:
        hint = did_you_mean(outline.settings.profile, PROFILES)
        raise InvalidValue(
            "settings.profile", f"{quoted(outline.settings.profile)} is unknown{hint}"
        )
    tasks = yield from _decoded(outline.tasks, TaskSnapshot, "tasks")
    deliveries = yield from _decoded(outline.deliveries, DeliverySnapshot, "deliveries")
    entries = yield from _decoded(outline.journal, EntrySnapshot, "journal", _SharedHeaders().share)
    members = msgspec.structs.asdict(outline)
    lists = {"tasks": tasks, "deliveries": deliveries, "journal": entries}
    snapshot = Snapshot(**{**members, **lists})
    yield from _fill_in_injected(entries)
    yield from _check_tasks(snapshot, catalogue)
    yield from _check_deliveries(snapshot)
    yield from _check_rules(snapshot.rules, catalogue.fail_messages)
    return snapshot


def _decoded(
    items: Raw, kind: type[T], path: str, share: Callable[[T], None] | None = None
) -> Generator[None, None, list[T]]:
    decoded: list[T] = []
    size = 0
    for item in objects_in(bytes(items), path):
        each = decode_json(item, kind, "snapshot", f"{path}[{len(decoded)}]")
        if share is not None:
            share(each)
        decoded.append(each)
        size += len(item)
        if len(decoded) % _STEP == 0 or size >= _STEP_BYTES:
            yield
            size = 0
    return decoded


class _SharedHeaders:
    """Makes equal headers of entries one object, as in a journal.

    Otherwise most objects of a snapshot would be headers.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Header, ...], tuple[Header, ...]] = {}

    def share(self, entry: EntrySnapshot) -> None:
        first = self._known.setdefault
        force_setattr(entry, "headers", first(entry.headers, entry.headers))
        answer_headers = first(entry.answer_headers, entry.answer_headers)
        force_setattr(entry, "answer_headers", answer_headers)


def _fill_in_injected(journal: list[EntrySnapshot]) -> Iterator[None]:
    """Fill in `injected`, which older journals lack."""
    for at, entry in enumerate(journal):
        if entry.text and not entry.injected:
            injected = _injected(entry.text, f"journal[{at}].fault")
            journal[at] = msgspec.structs.replace(entry, injected=injected)
        if at % _STEP == 0:
            yield


def _check_tasks(snapshot: Snapshot, catalogue: Catalogue) -> Iterator[None]:
    ids: set[str] = set()
    price_microusd = 0
    for at, task in enumerate(snapshot.tasks):
        _check_task(task, f"tasks[{at}]", snapshot, catalogue)
        if task.id in ids:
            raise InvalidValue(f"tasks[{at}].id", "must be unique; another task has this id")
        ids.add(task.id)
        price_microusd += task.price_microusd
        if at % _STEP == 0:
            yield
    if price_microusd > MAX_INTEGER:
        raise InvalidValue("tasks", f"the sum of price_microusd must be at most {MAX_INTEGER}")


def _check_deliveries(snapshot: Snapshot) -> Iterator[None]:
    ids = {task.id for task in snapshot.tasks}
    for at, delivery in enumerate(snapshot.deliveries):
        if delivery.task_id not in ids:
            raise InvalidValue(
                f"deliveries[{at}].task_id", "must be a task of this snapshot, and unique"
            )
        ids.remove(delivery.task_id)
        path = f"deliveries[{at}].put_off_by[1]"
        for each in _injected(delivery.put_off_by[1], path):
            if (each.kind, each.name) not in _POSTPONING:
                raise InvalidValue(path, f"{quoted(each.text)} postpones no callback")
        if at % _STEP == 0:
            yield


def _check_task(task: TaskSnapshot, path: str, snapshot: Snapshot, catalogue: Catalogue) -> None:
    if sandbox_id_in(task.id) != snapshot.origin or not _is_task_id(task.id):
        raise InvalidValue(f"{path}.id", f"is not a task of the sandbox {snapshot.origin}")
    model, plan = catalogue.models.get(task.model_id), task.plan
    if model is None or all(ratio.name != task.ratio for ratio in model.aspect_ratios):
        raise InvalidValue(path, "has a model or an aspect ratio that is not in the catalogue")
    if task.num_images not in model.image_counts:
        raise InvalidValue(
            f"{path}.num_images",
            f"must be one of {', '.join(map(str, model.image_counts))} (got {task.num_images})",
        )
    if task.ordinal > snapshot.ordinal:
        raise InvalidValue(
            f"{path}.ordinal",
            f"must be at most the ordinal of the snapshot, {snapshot.ordinal} (got {task.ordinal})",
        )
    if plan.end_ms is not None and plan.end_ms < plan.start_ms:
        raise InvalidValue(
            f"{path}.plan.end_ms",
            f"must be at least start_ms, {plan.start_ms} (got {plan.end_ms})",
        )
    if plan.end_ms is None and task.is_settled:
        raise InvalidValue(f"{path}.plan.end_ms", "is required if the task is settled")
    check_fail_code(plan.fail_code, f"{path}.plan.fail_code", catalogue.fail_messages)


def _injected(text: str, path: str) -> tuple[Injected, ...]:
    try:
        return injected_of_text(text)
    except ValueError as error:
        raise InvalidValue(path, f"names an unknown fault (got {quoted(text)})") from error


def _check_rules(rules: RuleBookSnapshot, fail_codes: Mapping[str, str]) -> Iterator[None]:
    for name in ("own", "profile", "queue"):
        kept: list[RuleSnapshot] = getattr(rules, name)
        definitions = []
        for at, each in enumerate(kept):
            path = f"rules.{name}[{at}].written"
            definitions.append(parse_rule(each.written, path, fail_codes))
            if name == "queue" and each.left < 1:
                raise InvalidValue(
                    f"rules.queue[{at}].left", f"must be at least 1 (got {each.left})"
                )
            yield  # A regular expression takes up to some milliseconds.
        check_weight(definitions, f"rules.{name}")
