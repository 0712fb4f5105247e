"""Remove an API key from text, however it is written there.

Each character of the key can be percent-encoded up to three times, or escaped as JSON any number of
times. The key can also be part of a text in base64, in both alphabets and at each of the three
alignments.

The time is linear in the length of the text, also for a text that nearly contains the key again and
again. So nothing here compares the key character by character: functions written in C decode the
text (`key_decoding.py`) and search it.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from mock_server.web.key_decoding import Span, decoded, rounds, sources

_SHORTEST = 8  # A shorter text may be part of other texts by chance.
_BACKSLASH = ord("\\")
_HEXADECIMAL = b"0123456789ABCDEFabcdef"
_STANDARD_BASE64 = bytes.maketrans(b"-_", b"+/")
_URL_BASE64 = bytes.maketrans(b"+/", b"-_")
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")
_BEGUN_ESCAPE = re.compile(rb"\\+(?:u[0-9A-Fa-f]{0,3})?\Z")
_INSIDE_STRING = re.compile(rb'(?s)(?:[^"\\]|\\.)*')
_BACKSLASHES = re.compile(rb"\\*")


class KeyForms:
    """The forms of one key that are searched for."""

    def __init__(self, key: str) -> None:
        base64 = {core for form in _plain_forms(key) for core in _base64_cores(form)}
        written = {key, key.lower()}  # Names of headers and hosts are stored in lower case.
        raw = {form for each in written for form in _raw_forms(each)}
        escaped = {form for each in written for form in _json_forms(each)}
        self._exact_in_json = _longest_first(escaped)
        self._exact = _longest_first(raw | escaped)
        forms = raw | escaped
        forms |= {each.replace(" ", "+").encode(errors="replace") for each in written}
        forms |= {decoded(form) for form in forms}
        self._decoded = _with_ends(form for form in forms if len(form) >= _SHORTEST)
        self._base64 = _with_ends(base64)
        self._undecoded_base64 = base64 | {core.translate(_URL_BASE64) for core in base64}
        self._unescaped = {form for each in written for form in _plain_forms(each)}
        # JSON escapes other characters as \u00XX only.
        is_plain = _PLAIN.fullmatch(key) and not any(b"/" in core for core in base64)
        self._escape = b"\\u00" if is_plain else b"\\"

    def may_be_in(self, text: bytes, sent_bytes: int) -> bool:
        """Return False only if no form of the key is in the text. This is fast.

        A client has sent the first `sent_bytes` of the text. The rest is derived from them, so it
        can contain the key in base64 only if they do.
        """
        if b"%" in text or (b"\\" in text and self._escape in text):
            return True
        for form in self._unescaped:
            if form in text:
                return True
        for core in self._undecoded_base64:  # noqa: SIM110  # `any` would take twice the time.
            if text.find(core, 0, sent_bytes) >= 0:
                return True
        return False

    def removed(self, text: bytes, replacement: bytes, *, is_json: bool = False) -> bytes:
        """Return the text with a replacement for each form of the key. JSON stays valid."""
        # The usual forms take less time. They must be searched for anyway: a percent sign before
        # the key changes how its first characters are decoded, and a key may consist of escapes.
        for form in self._exact_in_json if is_json else self._exact:
            if form in text:
                found = _found(text, [form])
                text = _replaced(text, _whole(text, found) if is_json else found, replacement)
        spans: list[Span] = []
        for texts in rounds(text, is_json=is_json):
            in_base64 = _found(texts[-1].translate(_STANDARD_BASE64), self._base64)
            spans += sources(texts, [*_found(texts[-1], self._decoded), *in_base64])
        return _replaced(text, spans, replacement) if spans else text


def _with_ends(forms: Iterable[bytes]) -> list[bytes]:
    """Return the forms, and their ends that remain if their beginning is decoded as an escape.

    For example, hexadecimal digits at the beginning are decoded after a percent sign.
    """
    ends = set()
    for form in forms:
        ends.add(form)
        for at in range(2):
            if form[at] not in _HEXADECIMAL:
                break
            ends.add(form[at + 1 :])
    return list(ends)


def _raw_forms(key: str) -> set[bytes]:
    return {key.encode(errors="replace"), key.encode("latin-1", "replace")}


def _plain_forms(key: str) -> set[bytes]:
    """Return the key as it is, and as it is in addresses and forms."""
    return _raw_forms(key) | {quote(key, safe="").encode(), quote_plus(key).encode()}


def _json_forms(key: str) -> set[bytes]:
    """Return the key as it is in JSON, and in a text in JSON that is JSON itself."""
    forms = set()
    for is_ascii in (False, True):
        once = json.dumps(key, ensure_ascii=is_ascii)[1:-1]
        forms |= {once, json.dumps(once, ensure_ascii=is_ascii)[1:-1]}
    return {form.encode(errors="replace") for form in forms}


def _longest_first(forms: Iterable[bytes]) -> list[bytes]:
    return sorted(forms, key=lambda form: (-len(form), form))


def _base64_cores(text: bytes) -> Iterator[bytes]:
    """Yield, for each alignment, the characters in base64 that this text alone determines."""
    for bytes_before, shared_characters in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(bytes(bytes_before) + text)
        yield encoded[shared_characters : (bytes_before + len(text)) * 8 // 6]


def _whole(text: bytes, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans that contain each escape of JSON completely or not at all.

    The spans are in order and do not overlap afterwards, so each backslash is read once.
    """
    done = 0
    for start, end in spans:
        if end <= done:
            continue
        begun = _BEGUN_ESCAPE.search(text, max(0, start - 6), start)
        first = start if begun is None else begun.start()
        while first > done and text[first - 1] == _BACKSLASH:
            first -= 1
        run_start = start + len(text[start:end].rstrip(b"\\"))
        if run_start < end:
            run_end = _BACKSLASHES.match(text, end).end()  # type: ignore[union-attr]  # "" matches
            end = run_end - (run_end - run_start) % 2  # noqa: PLW2901
        if _INSIDE_STRING.fullmatch(text, first, end):  # Otherwise its quotation mark ends a text.
            done = end
            yield first, end


def _found(text: bytes, forms: Iterable[bytes]) -> Iterator[Span]:
    for form in forms:
        start = text.find(form)
        while start >= 0:
            end = start + len(form)
            yield start, end
            start = text.find(form, end)


def _replaced(text: bytes, spans: Iterable[Span], replacement: bytes) -> bytes:
    parts, done = [], 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        parts += [text[done : max(done, start)]]
        if start >= done:
            parts.append(replacement)
        done = end
    return b"".join([*parts, text[done:]])
