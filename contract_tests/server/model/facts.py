"""What a model knows about the server that it predicts."""

from typing import Final

import msgspec

RESULT_TTL_MS: Final = 15 * 24 * 3600 * 1000  # RES-1
RATE_LIMIT: Final = 10_000  # LIM-1
MAX_TASKS: Final = 1000  # LIM-2
RETRIES_S: Final = (30, 120, 600)  # CB-3


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a server; a value is None if it is not known."""

    price_microusd: int | None = None
    balance_microusd: int | None = None
    """The money of each key before its first submit."""
    rate_limit: int = RATE_LIMIT
    max_tasks: int = MAX_TASKS
    is_strict: bool | None = None
    has_clock: bool = False
    """Whether every instant is known, because the clock moves only when it is told to."""
    image_fail_codes: str | None = None
    """What a bad reference image leads to: "seed", "docs", or None if it is not known (FAIL-4)."""
    sends_retry_after: bool | None = None
    result_ttl_ms: int = RESULT_TTL_MS
