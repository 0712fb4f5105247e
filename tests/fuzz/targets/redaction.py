"""Redaction: no form of an API key remains in what is shown, and JSON stays JSON."""

import json
import re
from urllib.parse import quote, quote_plus, unquote

import msgspec

from mock_server.web.log_text import LogText
from mock_server.web.redaction import REDACTED, Redactor
from tests.fuzz.generators import filled
from tests.fuzz.target import Target

_LONGEST_LOGGED = 520
_MARK = b"\xff"  # Separates the key from the text in which it is redacted.
_KEY = b"sk-abcdefgh\xff"


def _split(raw: bytes) -> tuple[str, str]:
    """Return a key as it can be in a header, and a text."""
    before, _, after = raw.partition(_MARK)
    key = "".join(before.decode("latin-1").split())
    return key, after.decode(errors="ignore")


def _handle(raw: bytes) -> None:
    key, text = _split(raw)
    redactor = Redactor(key)
    redactor.text(text)
    redactor.everywhere(text.encode())
    logged = LogText.of_request([(b"authorization", b"Bearer " + key.encode("latin-1"))])
    logged.sentence(text)
    logged.target(text, text.encode())


def _check(raw: bytes) -> None:
    key, text = _split(raw)
    redactor = Redactor(key)
    if not _is_usual(key):
        return
    encoded = msgspec.json.encode({"a": text, "b": json.dumps([text, key]), key: key})
    shown = redactor.json(encoded)
    told = json.loads(shown)  # It is still JSON.
    assert key not in json.dumps(told, ensure_ascii=False)
    _check_absent(key, redactor.everywhere(f"{text}{key}".encode()).decode(errors="replace"))
    for form in (
        quote(key),
        quote(key, safe=""),
        quote_plus(key),
        "".join(f"%{byte:02x}" for byte in key.encode()),
    ):
        _check_absent(
            key, redactor.everywhere(f"/a?b={form}&{text}".encode()).decode(errors="replace")
        )
    _check_logged(key, text)


def _is_usual(key: str) -> bool:
    """Tell whether all forms of a key are known, and none is a part of other texts."""
    return (
        len(key) >= 8
        and key.isascii()
        and key.isprintable()
        and not {'"', "\\"} & set(key)
        and key not in REDACTED
        and REDACTED not in key
        and not any(key.endswith(REDACTED[:size]) for size in range(1, len(REDACTED)))
        and not any(key.startswith(REDACTED[size:]) for size in range(1, len(REDACTED)))
    )


def _check_absent(key: str, shown: str) -> None:
    assert key not in shown
    assert key not in unquote(shown)


def _check_logged(key: str, text: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", key):
        return  # What a line of the log adds, such as "%" or "?", may complete it by chance.
    logged = LogText.of_request([(b"authorization", b"Bearer " + key.encode("latin-1"))])
    for shown in (
        logged.sentence(f"{key} {text} {quote(key)}"),
        logged.target(f"/{key}/{text}", f"taskId={quote(key)}&{text}".encode()),
    ):
        assert shown.isprintable()
        assert len(shown) <= _LONGEST_LOGGED
        _check_absent(key, shown)


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=lambda: [
        b"sk-0123456789\xff/path?key=sk-0123456789",
        b'sk-a"b\\c/d+e%f\xff{"a":"sk-a%22b"}',
        b"sk-\xe9\xe8\xe7\xe6\xe5\xe4\xff sk-%C3%A9",
        b"sk-%41%42%43\xff%25%34%31",
        b"aaaaaaaa\xffaaaaaaaaaaaaaaaaa",
    ],
    words=(b"sk-", b"%", b"\xff", b'\\"', b"\\u00", b"[redacted]", b"taskId=", b"%25", b"Bearer "),
    worst={
        "a text without the key": filled(_KEY, b"a"),
        "the key": filled(_KEY, b"sk-abcdefgh"),
        "the beginning of the key": filled(_KEY, b"sk-abcdefg"),
        "percent signs": filled(_KEY, b"%"),
        "an escaped beginning": filled(_KEY, b"%73%6b%2d"),
        "a backslash": filled(_KEY, b"\\"),
        "parameters": filled(_KEY, b"taskId=a&"),
        "a long key": filled(b"sk-", b"a", b"\xff" + b"a" * 1_000),
        "a long key that is escaped": filled(b"sk-", b"%", b"\xff" + b"%25" * 1_000),
    },
)
