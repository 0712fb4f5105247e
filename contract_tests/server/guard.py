"""Limits the requests of a live run: their rate, and their cost by a budget."""

import json
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from contract_tests.server.events import Request, Response
from contract_tests.server.interruptions import CaseSkipped

PRICE_USD: Final = Decimal("0.35")
"""US dollars per image: the highest price on the provider's pages, which disagree (BIL-3)."""
BUDGET_IS_SPENT: Final = "of the budget is left"
"""The end of the reason for which a case is skipped that costs too much."""
PACE_S: Final = 0.066
"""Seconds between two requests: less than a tenth of the rate that LIM-1 allows."""
MOST_IMAGES: Final = 4  # The maximum for one submit (SUB-11).
MOST_BELIEVABLE: Final = 100  # The assumed maximum if a service accepts an invalid count.


def images_of(request: Request) -> int:
    """Return the maximum number of images that a request buys, if the service accepts it."""
    if request.method != "POST" or "/generateTask/" not in request.path:
        return 0
    try:
        given = json.loads(request.body)["input"]
        counts = (given.get("num_images", 1), given.get("nVariants", 1))  # SUB-16: the older name
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return MOST_IMAGES
    return max(_images(count) for count in counts)


def _images(count: object) -> int:
    if type(count) is not int:
        return MOST_IMAGES
    return count if count in {1, 2, 4} else min(max(MOST_IMAGES, count), MOST_BELIEVABLE)


def is_rejected(response: Response) -> bool:
    """Return whether a submit certainly bought nothing. After a timeout (408) it may have."""
    return 400 <= response.status < 500 and response.status != 408


class Ledger:
    """Reserves the cost of a submit before it is sent; only a certain rejection releases it."""

    def __init__(self, budget_usd: Decimal) -> None:
        self._budget_usd = budget_usd
        self._spent_usd = Decimal(0)
        self._lock = threading.Lock()

    @property
    def spent_usd(self) -> Decimal:
        return self._spent_usd

    def reserve(self, images: int) -> None:
        """Reserve the highest price of these images. Raise CaseSkipped if the budget is too low."""
        cost_usd = images * PRICE_USD
        with self._lock:
            if self._spent_usd + cost_usd > self._budget_usd:
                left_usd = self._budget_usd - self._spent_usd
                raise CaseSkipped(
                    f"costs up to ${cost_usd}, but only ${left_usd} {BUDGET_IS_SPENT}"
                )
            self._spent_usd += cost_usd

    def release(self, images: int) -> None:
        """Release the reserved price of these images."""
        with self._lock:
            self._spent_usd -= images * PRICE_USD


class LiveGuard:
    """Reserves the cost of each request and delays requests to limit their rate.

    A burst counts as one request of the pace. Only cases that may exhaust a limit send bursts.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._next_s = 0.0
        self._lock = threading.Lock()

    def before(self, request: Request, count: int) -> None:
        """Wait for the next slot. Raise CaseSkipped if the budget does not cover the request."""
        self._ledger.reserve(count * images_of(request))
        with self._lock:
            now_s = self._clock()
            at_s = max(now_s, self._next_s)
            self._next_s = at_s + PACE_S
        if at_s > now_s:
            self._sleep(at_s - now_s)

    def after(self, request: Request, response: Response) -> None:
        """Release the reserved cost of a submit that was certainly rejected."""
        if is_rejected(response):
            self._ledger.release(images_of(request))
