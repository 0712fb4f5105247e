"""Responses of the server under test, with the parts that cases use."""

from typing import Any, Final

import msgspec

from contract_tests.server.events import Response

_SHOWN: Final = 300  # characters of what was seen


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, and the number of its event."""

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
        """Whether a submit was rejected with 400 for lack of credit, as one page says (SUB-17)."""
        return self.status == 400 and b"insufficient credits" in self.response.body.lower()

    @property
    def shown(self) -> str:
        """The text of this response in a report."""
        if self.response.error is not None:
            return self.response.error
        body = self.response.body[:_SHOWN].decode("utf-8", "replace")
        return f"HTTP {self.status} {body}"


def shown(seen: object) -> str:
    """Return the text of an observation in a report."""
    text = seen if isinstance(seen, str) else repr(seen)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
