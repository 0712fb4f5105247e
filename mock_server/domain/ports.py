"""What the server needs from the real world, in the domain's own words."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.sandbox_settings import ImageUrls


class RealClock(Protocol):
    def now_ns(self) -> int:
        """Return the real instant in Unix nanoseconds; it never goes back."""


class DeliveryResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one HTTP POST: a status, or the reason why there is none."""

    status: int | None = None
    error: str | None = None
    is_blocked: bool = False  # The egress policy forbids the address; `error` names the rule.
    duration_ms: int = 0


class Sender(Protocol):
    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        """POST a JSON body once, follow no redirect, raise nothing; bit by bit when slow.

        Attempts of one lane may hold one another up, those of different lanes may not.
        """

    async def aclose(self) -> None: ...


class PatternSearch(Protocol):
    def found(self, patterns: Sequence[str], text: str) -> frozenset[str]:
        """Return those of the regular expressions, in Python's syntax, that a text contains.

        All searches of one call share one time limit; a pattern not reached is not found.
        """


class ImageProblem(StrEnum):
    """Why a reference image is unusable."""

    UNREACHABLE = "unreachable"
    WRONG_FORMAT = "wrong format"
    TOO_LARGE = "too large"


class BadImage(msgspec.Struct, frozen=True):
    index: int
    problem: ImageProblem
    reason: str


class ReferenceJudge(Protocol):
    async def find_bad_image(
        self, urls: tuple[str, ...], model: Model, mode: ImageUrls
    ) -> BadImage | None:
        """Return the first unusable reference image, or None."""
