"""Everything of a sandbox as one document: out of one, into another.

It holds no key. `origin` and `seed` are what its chance is drawn from, so that a restored sandbox
goes on as the old one would, on a server with another seed, too.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.clock import LATEST_MS
from mock_server.domain.deliveries import Attempt, DeliveryState
from mock_server.domain.journal import Entry
from mock_server.domain.rule_book import BookState
from mock_server.domain.rules import parse_rule
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import TASK_ID, Task

SandboxId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
Count = Annotated[int, Meta(ge=0, le=2**62)]


class KeptDelivery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    task_id: str
    url: str
    state: DeliveryState
    due_ms: int | None
    attempts: list[Attempt]
    ruled: int = 0
    put_off_by: tuple[str, str] = ("", "")


class Snapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Version 1. Instants are of the sandbox's clock, in Unix milliseconds."""

    version: Literal[1] = 1
    id: SandboxId  # of the sandbox that it was taken of
    origin: SandboxId
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    settings: SandboxSettings
    clock: ClockSettings
    now_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)]
    admitted_ms: list[int]  # the requests that still count to LIM-1, oldest first
    ordinal: Count
    requests: Count
    refused: Count
    dropped_tasks: Count
    succeeded: Count
    failed: Count
    balance_microusd: int
    tasks: list[Task]
    deliveries: list[KeptDelivery]
    journal_dropped: Count
    journal: list[Entry]
    rules: BookState


def parse_snapshot(raw: bytes, catalogue: Catalogue) -> Snapshot:
    """Read and check a document. Raises ValueError saying what is wrong, and where."""
    snapshot = msgspec.json.decode(raw, type=Snapshot)
    ids = {task.id for task in snapshot.tasks}
    for at, task in enumerate(snapshot.tasks):
        if task.sandbox_id != snapshot.origin or not re.fullmatch(TASK_ID, task.id):
            raise ValueError(f"tasks[{at}].id: is no task of the sandbox {snapshot.origin}")
        model = catalogue.models.get(task.model_id)
        if model is None or task.ratio not in {ratio.name for ratio in model.aspect_ratios}:
            raise ValueError(f"tasks[{at}]: has a model or a ratio that this server does not know")
        if task.num_images not in model.image_counts:
            raise ValueError(f"tasks[{at}].num_images: must be one of {model.image_counts}")
    if len(ids) != len(snapshot.tasks):
        raise ValueError("tasks: two have the same id")
    for at, delivery in enumerate(snapshot.deliveries):
        if delivery.task_id not in ids:
            raise ValueError(f"deliveries[{at}].task_id: is no task of this snapshot")
    _check_rules(snapshot.rules, catalogue.fail_messages)
    return snapshot


def _check_rules(rules: BookState, fail_codes: Mapping[str, str]) -> None:
    for name in ("own", "profile", "queue"):
        kept: list[Any] = getattr(rules, name)
        for at, each in enumerate(kept):
            parse_rule(each.written, f"rules.{name}[{at}].written", fail_codes)
            if name == "queue" and each.left < 1:
                raise ValueError(f"rules.queue[{at}].left: must be a whole number from 1 on")
