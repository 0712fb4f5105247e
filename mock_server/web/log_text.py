"""Parts of a request as text for the log: without secrets, control characters or great lengths.

A client decides what its path, query and body contain. Nothing of it may add a line to the log,
send a terminal an escape sequence, or put an API key on a disk.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote

from mock_server.web.redaction import REDACTED, Header, Redactor

_MAX_LENGTH = 500
_LIKE_A_KEY = re.compile(r"(?i)\bsk-[\w.~+-]+")
_PARAMETER_NAME = re.compile(r"[A-Za-z][\w.-]{0,30}")
# The values of these are no secrets. Values of other parameters are hidden.
_SHOWN_PARAMETERS = frozenset(
    {
        "taskId",
        "count",
        "format",
        "limit",
        "operation",
        "remove",
        "sandbox",
        "since",
        "state",
        "task",
        "timeout",
    }
)
_PRINTED = "/:@!$&'()*+,;=~[]?"


class LogText:
    """Makes texts for the log without the key that `own` redacts, and without `secrets`.

    `secrets` are those of the server.
    """

    def __init__(self, own: Redactor, secrets: Iterable[str] = ()) -> None:
        self._redactors = [own, *map(Redactor, secrets)]

    @classmethod
    def of_request(cls, headers: Iterable[Header], secrets: Iterable[str] = ()) -> "LogText":
        """Return what makes the texts of one request, without the API key in its headers."""
        return cls(Redactor.of_request(headers), secrets)

    def target(self, path: str, query: bytes) -> str:
        """Return path and query, percent-encoded."""
        shown = self._quoted(path)
        if query:
            shown = f"{shown}?{self._quoted('&'.join(_parameters(query)))}"
        return _shortened(shown)

    def sentence(self, text: str) -> str:
        """Return a text of one line; characters that are not printable are escaped."""
        return _shortened("".join(map(_printable, self._redacted(text))))

    def _quoted(self, text: str) -> str:
        return quote(self._redacted(text), safe=_PRINTED, errors="replace")

    def _redacted(self, text: str) -> str:
        for redactor in self._redactors:
            text = redactor.everywhere(text.encode(errors="replace")).decode(errors="replace")
        return _LIKE_A_KEY.sub(REDACTED, text)


def _parameters(query: bytes) -> Iterable[str]:
    for name, value in parse_qsl(query[:2000].decode("latin-1"), keep_blank_values=True):
        if name in _SHOWN_PARAMETERS:
            yield f"{name}={value}"
        elif value and _PARAMETER_NAME.fullmatch(name):
            yield f"{name}={REDACTED}"
        else:
            yield REDACTED  # A name without a value may be a secret itself.


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
