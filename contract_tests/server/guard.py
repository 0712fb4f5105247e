"""What stands before each request of a live run: a pace, and a budget that cannot be passed."""

import json
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from contract_tests.server.events import Request, Response
from contract_tests.server.interruptions import CaseSkipped

PRICE: Final = Decimal("0.35")
"""Dollars an image: the dearest of the pages that disagree (BIL-3)."""
PACE_S: Final = 0.066
"""Seconds between two requests: below a tenth of LIM-1."""
DEAREST: Final = 4  # images that one submit can buy (SUB-11)
BELIEVABLE: Final = 100  # images that a service might sell for a number that it should refuse


def images_of(request: Request) -> int:
    """Return how many images a request buys at most, should it be accepted as it is."""
    if request.method != "POST" or "/generateTask/" not in request.path:
        return 0
    try:
        given = json.loads(request.body)["input"]
        counts = (given.get("num_images", 1), given.get("nVariants", 1))  # SUB-16: the older name
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return DEAREST
    return max(_images(count) for count in counts)


def _images(count: object) -> int:
    if type(count) is not int:
        return DEAREST
    return count if count in {1, 2, 4} else min(max(DEAREST, count), BELIEVABLE)


def is_refused(response: Response) -> bool:
    """Say whether a submit has surely bought nothing; a timeout (408) tells nothing of that."""
    return 400 <= response.status < 500 and response.status != 408


class Ledger:
    """Reserves the cost of a submit before it is sent; what is not surely refused is spent."""

    def __init__(self, budget: Decimal) -> None:
        self._budget = budget
        self._spent = Decimal(0)
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        return self._spent

    def reserve(self, images: int) -> None:
        """Raise CaseSkipped where that would pass the budget."""
        cost = images * PRICE
        with self._lock:
            if self._spent + cost > self._budget:
                left = self._budget - self._spent
                raise CaseSkipped(f"costs up to ${cost} more, and ${left} of the budget is left")
            self._spent += cost

    def release(self, images: int) -> None:
        with self._lock:
            self._spent -= images * PRICE


class LiveGuard:
    """Lets one request pass at a time, each only when its cost is reserved and its moment is come.

    A burst, which only cases send that may exhaust a limit, is one step of the pace.
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
        self._ledger.reserve(count * images_of(request))
        with self._lock:
            now_s = self._clock()
            at_s = max(now_s, self._next_s)
            self._next_s = at_s + PACE_S
        if at_s > now_s:
            self._sleep(at_s - now_s)

    def after(self, request: Request, response: Response) -> None:
        """Give back what was reserved for a submit that was surely refused."""
        if is_refused(response):
            self._ledger.release(images_of(request))
