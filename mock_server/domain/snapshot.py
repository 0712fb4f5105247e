"""The complete state of a sandbox as one document, to restore it in any sandbox.

It contains no API key. `origin` and `seed` determine all random draws, so a restored sandbox
continues as the original would, even on a server with another seed.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.clock import LATEST_MS
from mock_server.domain.deliveries import Attempt, DeliveryState
from mock_server.domain.errors import InvalidValue, quoted
from mock_server.domain.faults.injected import Injected, injected_of_text
from mock_server.domain.integers import Integer
from mock_server.domain.journal import Entry
from mock_server.domain.rule_book import RuleBookSnapshot
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import TASK_ID_PATTERN, sandbox_id_in
from mock_server.domain.task_snapshot import TaskSnapshot
from mock_server.domain.validation import decode_json

SandboxId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
Count = Annotated[int, Meta(ge=0, le=2**62)]


class DeliverySnapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    task_id: str
    url: str
    state: DeliveryState
    due_ms: Integer | None
    attempts: list[Attempt]
    ruled: Integer = 0
    put_off_by: tuple[str, str] = ("", "")  # The id of a rule, and the text of what it injects.
    until_overtaken: bool | UnsetType = UNSET


class EntrySnapshot(Entry, frozen=True, array_like=False, forbid_unknown_fields=True):
    """A journal entry that also has the text of `injected`, as version 1 of the format had it."""

    text: str = msgspec.field(name="fault", default="")

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(**msgspec.structs.asdict(entry), text=entry.fault)

    def entry(self) -> Entry:
        return Entry(**{name: getattr(self, name) for name in Entry.__struct_fields__})


class Snapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A snapshot, version 1. Instants are Unix milliseconds of the sandbox's clock."""

    version: Literal[1] = 1
    id: SandboxId  # The sandbox from which it was taken.
    origin: SandboxId
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    settings: SandboxSettings
    clock: ClockSettings
    now_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)]
    admitted_ms: list[Integer]  # The requests that still count for LIM-1, oldest first.
    ordinal: Count
    requests: Count
    refused: Count
    responses: dict[int, Count] = {}  # By status; older snapshots do not have it.
    dropped_tasks: Count
    succeeded: Count
    failed: Count
    balance_microusd: Integer
    tasks: list[TaskSnapshot]
    deliveries: list[DeliverySnapshot]
    journal_dropped: Count
    journal: list[EntrySnapshot]
    rules: RuleBookSnapshot


def parse_snapshot(raw: bytes, catalogue: Catalogue) -> Snapshot:
    """Return the snapshot in a JSON text, checked. Raises InvalidValue."""
    snapshot = _with_injected(decode_json(raw, Snapshot, "snapshot"))
    ids = {task.id for task in snapshot.tasks}
    for at, task in enumerate(snapshot.tasks):
        if sandbox_id_in(task.id) != snapshot.origin or not re.fullmatch(TASK_ID_PATTERN, task.id):
            raise InvalidValue(f"tasks[{at}].id", f"is not a task of the sandbox {snapshot.origin}")
        model = catalogue.models.get(task.model_id)
        if model is None or task.ratio not in {ratio.name for ratio in model.aspect_ratios}:
            raise InvalidValue(
                f"tasks[{at}]", "has a model or an aspect ratio that is not in the catalogue"
            )
        if task.num_images not in model.image_counts:
            raise InvalidValue(
                f"tasks[{at}].num_images",
                f"must be one of {', '.join(map(str, model.image_counts))} (got {task.num_images})",
            )
        if task.plan.end_ms is not None and task.plan.end_ms < task.plan.start_ms:
            raise InvalidValue(
                f"tasks[{at}].plan.end_ms",
                f"must be at least start_ms, {task.plan.start_ms} (got {task.plan.end_ms})",
            )
    if len(ids) != len(snapshot.tasks):
        raise InvalidValue("tasks", "must have unique ids")
    for at, delivery in enumerate(snapshot.deliveries):
        if delivery.task_id not in ids:
            raise InvalidValue(f"deliveries[{at}].task_id", "is not a task of this snapshot")
    _check_rules(snapshot.rules, catalogue.fail_messages)
    return snapshot


def _with_injected(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with `injected` filled in, which older journals lack."""
    journal = []
    for at, entry in enumerate(snapshot.journal):
        injected = entry.injected or _injected(entry.text, f"journal[{at}].fault")
        journal.append(msgspec.structs.replace(entry, injected=injected))
    for at, delivery in enumerate(snapshot.deliveries):
        _injected(delivery.put_off_by[1], f"deliveries[{at}].put_off_by[1]")
    return msgspec.structs.replace(snapshot, journal=journal)


def _injected(text: str, path: str) -> tuple[Injected, ...]:
    try:
        return injected_of_text(text)
    except ValueError as error:
        raise InvalidValue(path, f"names an unknown fault (got {quoted(text)})") from error


def _check_rules(rules: RuleBookSnapshot, fail_codes: Mapping[str, str]) -> None:
    for name in ("own", "profile", "queue"):
        kept: list[Any] = getattr(rules, name)
        for at, each in enumerate(kept):
            parse_rule(each.written, f"rules.{name}[{at}].written", fail_codes)
            if name == "queue" and each.left < 1:
                raise InvalidValue(
                    f"rules.queue[{at}].left", f"must be at least 1 (got {each.left})"
                )
