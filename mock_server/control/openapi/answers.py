"""What control answers, as types; members may be added to them, but none goes away."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mock_server.control.openapi.references import MatchOfRule, WrittenApply
from mock_server.domain.deliveries import Attempt, DeliveryState
from mock_server.domain.journal import Operation
from mock_server.domain.sandbox_settings import (
    CreditsStatus,
    ImageFailCodes,
    ImageUrls,
    TaskIds,
)
from mock_server.domain.task import TaskState
from mock_server.options import OPTIONS
from mock_server.runtime.dispatcher import Fired

Instant = Annotated[int, Meta(ge=0, description="Unix milliseconds of the sandbox's clock")]
Count = Annotated[int, Meta(ge=0)]
Milliseconds = Annotated[float, Meta(ge=0, description="milliseconds of real time")]

_OPEN = [option.name for option in OPTIONS if not option.is_secret]
_KINDS = ["transition", *Operation]


class Detail(msgspec.Struct):
    error: Annotated[str, Meta(description="path, problem and the nearest known word")]


class Problem(msgspec.Struct):
    """The provider's envelope (ENV-2)."""

    code: int
    message: str
    data: Detail


class Health(msgspec.Struct):
    status: Literal["ok"]


class Info(msgspec.Struct):
    version: str
    base_url: str
    seed: int
    settings: Annotated[
        dict[str, Any],
        Meta(description="by switch, but the secrets", extra_json_schema={"required": _OPEN}),
    ]
    profile: str


class ShownSettings(msgspec.Struct):
    rate_limit: int
    max_concurrent: int
    generation_time: Annotated[float, Meta(description="seconds")]
    balance: Annotated[float, Meta(description="dollars that it begins with")]
    profile: str
    image_urls: ImageUrls
    image_fail_codes: ImageFailCodes
    strict: bool
    insufficient_credits_status: CreditsStatus
    retry_after: bool
    task_ids: TaskIds


class EndedTasks(msgspec.Struct):
    success: Count
    failed: Count
    dropped: Count


class ShownCounters(msgspec.Struct):
    requests: Count
    refused: Count
    tasks: EndedTasks
    live_tasks: Count
    balance: Annotated[float, Meta(description="dollars left")]
    journal_entries: Count
    journal_bytes: Count
    journal_dropped: Count


class ListedSandbox(msgspec.Struct):
    id: Annotated[str, Meta(description="a hash of its key")]
    counters: ShownCounters


class ListedSandboxes(msgspec.Struct):
    sandboxes: list[ListedSandbox]


class ShownSandbox(ListedSandbox):
    settings: ShownSettings


class Advanced(msgspec.Struct):
    from_ms: Instant
    now_ms: Instant
    fired: list[Fired]


class ShownTask(msgspec.Struct, kw_only=True):
    """An ended one has `complete_time_ms`, and `result_urls` or `fail_code` and `fail_msg`."""

    task_id: str
    model: str
    state: TaskState
    prompt: str
    aspect_ratio: str
    num_images: int
    request_type: Literal["async", "callback"]
    create_time_ms: Instant
    complete_time_ms: Instant | UnsetType = UNSET
    fail_code: str | UnsetType = UNSET
    fail_msg: str | UnsetType = UNSET
    result_urls: list[str] | UnsetType = UNSET


class ShownTasks(msgspec.Struct):
    tasks: list[ShownTask]


class ShownPlan(msgspec.Struct):
    start_ms: Instant
    end_ms: Instant | None
    polls: int | None
    hold: bool
    outcome: Literal["success", "failed"]
    fail_code: str | None
    fail_msg: str | None


class TimelineEvent(msgspec.Struct, kw_only=True):
    """A transition has a `state`, an exchange the other members."""

    at_ms: Instant
    kind: Annotated[str, Meta(extra_json_schema={"enum": _KINDS})]
    state: TaskState | UnsetType = UNSET
    status: int | UnsetType | None = UNSET
    error: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    fault: str | UnsetType = UNSET
    duration_ms: Milliseconds | UnsetType = UNSET


class TaskDetail(ShownTask, kw_only=True):
    plan: ShownPlan
    explain: Annotated[list[str], Meta(description="why it goes as it goes")]
    timeline: list[TimelineEvent]


class TaskTooLate(TaskDetail, kw_only=True):
    """The envelope of an error, with the task beside it."""

    code: int
    message: str
    data: Detail


class ShownDelivery(msgspec.Struct):
    task_id: str
    url: str
    state: DeliveryState
    next_ms: Instant | None
    attempts: list[Attempt]


class ShownDeliveries(msgspec.Struct):
    deliveries: list[ShownDelivery]


class ShownRule(msgspec.Struct):
    id: str
    match: MatchOfRule
    apply: WrittenApply
    applied: Count


class ProfileRules(msgspec.Struct):
    name: str
    rules: list[ShownRule]


class ShownRules(msgspec.Struct):
    rules: list[ShownRule]
    profile: ProfileRules


class QueuedNext(msgspec.Struct):
    id: str
    match: MatchOfRule
    apply: WrittenApply
    count: Annotated[int, Meta(ge=1, description="so many are left")]


class ShownQueue(msgspec.Struct):
    next: list[QueuedNext]
