"""How control shows the settings of a sandbox."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mock_server.domain.ledger import MICRO
from mock_server.domain.sandbox_settings import (
    CreditsStatus,
    ImageFailCodes,
    ImageUrls,
    SandboxSettings,
    TaskIds,
)

Json = dict[str, Any]


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


def settings_view(settings: SandboxSettings, default_generation_ms: int) -> Json:
    generation_ms = settings.generation_time_ms
    return {
        "rate_limit": settings.rate_limit,
        "max_concurrent": settings.max_concurrent,
        "generation_time": (
            default_generation_ms if generation_ms is None else generation_ms
        ) / 1000,
        "balance": settings.balance_microusd / MICRO,
        "profile": settings.profile,
        "image_urls": settings.image_urls,
        "image_fail_codes": settings.image_fail_codes,
        "strict": settings.strict,
        "insufficient_credits_status": settings.insufficient_credits_status,
        "retry_after": settings.retry_after,
        "task_ids": settings.task_ids,
    }  # fmt: skip
