"""The interfaces to the outside world: time, HTTP, image checks, regular expressions."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.sandbox_settings import ImageUrls


class RealClock(Protocol):
    def now_ns(self) -> int:
        """Return the real instant in Unix nanoseconds. It decreases only by `shift`."""

    def monotonic_ns(self) -> int:
        """Return the nanoseconds since a fixed instant, for durations. `shift` has no effect."""

    def shift(self, by_ms: int) -> None:
        """Add this to what `now_ns` returns. Only an unused server may subtract."""


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The result of one HTTP POST: a status, or an error if there was no response."""

    status: int | None = None
    error: str | None = None
    is_blocked: bool = False  # The egress policy forbids the address; `error` names the rule.
    duration_ms: int = 0  # Real time.
    is_invalid: bool = False  # Nothing can be sent to such an address; `error` says why.


class Sender(Protocol):
    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        """Send a JSON body once by POST and return the result; never raises.

        Redirects are not followed. With `is_slow` the body is sent in small pieces. Requests of
        one lane may wait for one another; requests of different lanes may not.
        """

    async def aclose(self) -> None: ...


class PatternSearch(Protocol):
    async def found(self, patterns: Sequence[str], text: str, group: str = "") -> frozenset[str]:
        """Return the regular expressions (Python's syntax) that match somewhere in a text.

        All searches of one call share one time limit. A pattern that is not searched in time
        counts as not found. Long searches of one group may wait for one another.
        """


class ImageProblem(StrEnum):
    """Why a reference image is unusable."""

    UNREACHABLE = "unreachable"
    WRONG_FORMAT = "wrong format"
    TOO_LARGE = "too large"


class BadImage(msgspec.Struct, frozen=True):
    """An unusable reference image; `index` is its position in `image_urls`, from 0."""

    index: int
    problem: ImageProblem
    reason: str


class ReferenceJudge(Protocol):
    async def find_bad_image(
        self, urls: tuple[str, ...], model: Model, mode: ImageUrls, owner: str
    ) -> BadImage | None:
        """Return the first unusable reference image, or None; `owner` is the sandbox."""
