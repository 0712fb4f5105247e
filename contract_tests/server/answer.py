"""Answers of the server under test, as cases read them."""

from typing import Any, Final

import msgspec

from contract_tests.server.events import Response

_SHOWN: Final = 300  # characters of what was seen


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, and the number of the event that holds it."""

    response: Response
    event: int

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def json(self) -> Any:
        return self.response.json()

    @property
    def data(self) -> Any:
        """The envelope's `data`, or None if there is none."""
        envelope = self.json
        return envelope.get("data") if isinstance(envelope, dict) else None

    @property
    def lacks_credit(self) -> bool:
        """Whether a submit was rejected for lack of credit, for which one page has 400 (SUB-17)."""
        return self.status == 400 and b"insufficient credits" in self.response.body.lower()

    @property
    def shown(self) -> str:
        """What a report shows of this answer."""
        if self.response.error is not None:
            return self.response.error
        body = self.response.body[:_SHOWN].decode("utf-8", "replace")
        return f"HTTP {self.status} {body}"


def shown(seen: object) -> str:
    """Return what a report shows of something that a case saw."""
    text = seen if isinstance(seen, str) else repr(seen)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
