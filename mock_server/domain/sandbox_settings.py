"""What can be set for one sandbox, at the start or later by control."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mock_server.domain.clock import Mode

ImageUrls = Literal["trust", "fetch"]
ImageFailCodes = Literal["seed", "docs"]
CreditsStatus = Literal[400, 402]
TaskIds = Literal["plain", "reserved"]
Limit = Annotated[int, Meta(ge=1, le=10_000_000)]
Speed = Annotated[float, Meta(gt=0, le=1_000_000)]
Dollars = Annotated[float, Meta(ge=0, le=1_000_000_000)]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are the documented behaviour."""

    profile: str = "calm"
    rate_limit: Limit = 10_000  # LIM-1, requests in any 60 s
    max_concurrent: Limit = 1_000  # LIM-2
    generation_time_ms: int | None = None  # TIM-1; None: as the model's catalogue entry says
    balance_microusd: int = 100_000_000_000
    image_urls: ImageUrls = "trust"
    image_fail_codes: ImageFailCodes = "seed"  # FAIL-4
    strict: bool = False  # SUB-5, SUB-8, no directives
    insufficient_credits_status: CreditsStatus = 400  # SUB-17
    retry_after: bool = True  # LIM-5
    task_ids: TaskIds = "plain"  # of new tasks; ids are opaque, SUB-1


class ClockSettings(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode = "real"
    speed: Speed = 1.0
