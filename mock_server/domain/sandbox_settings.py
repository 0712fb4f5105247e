"""The settings of a sandbox, which `PATCH /_mock/sandbox` can change."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from mock_server.domain.clock import Mode
from mock_server.domain.durations import MAX_MS
from mock_server.domain.integers import Integer
from mock_server.domain.setting import Setting
from mock_server.domain.setting_forms import DURATION, MICRODOLLARS, Form

GeneralParameters = Literal["reject", "accept"]
ImageUrls = Literal["trust", "fetch"]
ImageFailCodes = Literal["seed", "docs"]
CreditsStatus = Literal[400, 402]
TaskIds = Literal["plain", "reserved"]
ResultHost = Literal["same", "other"]
MAX_RATE_LIMIT = 10_000_000
Limit = Annotated[int, Meta(ge=1, le=MAX_RATE_LIMIT)]
GenerationTime = Annotated[int, Meta(ge=0, le=MAX_MS)]
Speed = Annotated[float, Meta(gt=0, le=1_000_000)]
ProfileName = Literal["calm", "hostile", "outage", "slow", "free-plan", "pro-plan"]

PROFILES: tuple[str, ...] = get_args(ProfileName)


class SandboxDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """The initial settings of every sandbox. None means that the profile decides.

    Each field is a setting of the sandbox and a switch of the server that sets its default.
    """

    rate_limit: Annotated[
        Limit | None, Setting(help="Maximum requests per key in any 60-second window.")
    ] = None
    max_concurrent: Annotated[
        Limit | None, Setting(help="Maximum tasks per key that are pending or processing.")
    ] = None
    generation_time_ms: Annotated[
        GenerationTime | None,
        Setting(
            help="Average time that a task takes; 0 completes tasks at once.",
            form=DURATION,
            default="30s",
        ),
    ] = None
    balance_microusd: Annotated[
        Integer, Setting(help="Initial balance of every key.", form=MICRODOLLARS)
    ] = 100_000_000_000
    profile: Annotated[
        str,
        Setting(
            help=f"Predefined rules and limits: {', '.join(PROFILES)}.",
            form=Form(kind=ProfileName, metavar="NAME"),
        ),
    ] = "calm"
    image_urls: Annotated[
        ImageUrls,
        Setting(help="Judge reference images by their address (trust), or download them (fetch)."),
    ] = "trust"
    image_fail_codes: Annotated[
        ImageFailCodes,
        Setting(
            help="Fail code of an invalid image: INVALID_IMAGE_URL (seed), or one of three (docs)."
        ),
    ] = "seed"  # FAIL-4
    strict: Annotated[
        bool,
        Setting(help="Require public HTTPS callbacks and a documented mode; ignore directives."),
    ] = False  # SUB-5, SUB-8
    general_parameters: Annotated[
        GeneralParameters,
        Setting(
            help="Reject aspect ratios that only the general parameters page lists, or accept them."
        ),
    ] = "reject"  # SUB-19
    insufficient_credits_status: Annotated[
        CreditsStatus, Setting(help="Status of a submit that the balance cannot pay for.")
    ] = 400  # SUB-17
    retry_after: Annotated[bool, Setting(help="Send Retry-After with a 429 response.")] = (
        True  # LIM-5
    )
    task_ids: Annotated[
        TaskIds,
        Setting(help="End task ids with characters that must be percent-encoded (reserved)."),
    ] = "plain"  # SUB-1: task ids are opaque.
    result_host: Annotated[
        ResultHost,
        Setting(help="Host of results: the API's (same), or another name of that host (other)."),
    ] = "same"  # RES-3: the provider's results are on another host.


class SandboxSettings(SandboxDefaults, frozen=True, kw_only=True):
    """The settings of one sandbox. Defaults are the documented behaviour."""

    rate_limit: Limit = 10_000  # LIM-1
    max_concurrent: Limit = 1_000  # LIM-2
    generation_time_ms: GenerationTime | None = None  # TIM-1; None means the model's time.


class ClockSettings(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode = "real"
    speed: Speed = 1.0
