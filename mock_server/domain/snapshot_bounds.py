"""The values that a snapshot may contain: everything that the mock itself can have written.

Without bounds, a restored value could be one that no store can encode, that no date can show or
that no URL may contain. Bounds of texts leave room for redacted secrets, which may become longer.
"""

from typing import Annotated, Any

from msgspec import Meta

from mock_server.domain.clock import LATEST_MS
from mock_server.domain.integers import MAX_INTEGER

_TEXT_LENGTH = 1024 * 1024
_NO_LINE_BREAK = r"$(?!\n)"  # A bare `$` also matches before a line break at the end.


def _form(text: str) -> dict[str, Any]:
    return {"form": text}


Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Instant = Annotated[int, Meta(ge=0, le=LATEST_MS)]
# The clock stops in the year 9999, but a plan may end later.
PlannedInstant = Annotated[int, Meta(ge=0, le=2**53)]
Status = Annotated[int, Meta(ge=0, le=999)]  # It is 0 if there was no response.

Text = Annotated[str, Meta(max_length=_TEXT_LENGTH)]
Bytes = Annotated[bytes, Meta(max_length=_TEXT_LENGTH)]
FaultText = Annotated[str, Meta(max_length=1000)]
Headers = Annotated[tuple[tuple[Bytes, Bytes], ...], Meta(max_length=10_000)]
TaskId = Annotated[str, Meta(max_length=100)]
SandboxId = Annotated[
    str, Meta(pattern=rf"^[0-9a-f]{{16}}{_NO_LINE_BREAK}", extra=_form("16 hexadecimal digits"))
]
RuleId = Annotated[
    str,
    Meta(
        pattern=rf"^[!-~]{{0,100}}{_NO_LINE_BREAK}",
        extra=_form("the id of a rule, at most 100 visible ASCII characters"),
    ),
]
BaseUrl = Annotated[
    str,
    Meta(
        max_length=65_536,
        pattern=rf"^[Hh][Tt][Tt][Pp][Ss]?://[!$-;=@-\[\]-~]+{_NO_LINE_BREAK}",
        extra=_form("an http or https address without query"),
    ),
]
CallbackUrl = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=rf"^[Hh][Tt][Tt][Pp][Ss]?://[^\s\x00-\x1f\x7f]+{_NO_LINE_BREAK}",
        extra=_form("an http or https URL of at most 2048 characters without white space"),
    ),
]
