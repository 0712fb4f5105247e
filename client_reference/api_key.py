"""The API key: it is added to each request and redacted in each response (AUTH-1)."""

import os
import re
from base64 import b64encode
from collections.abc import Generator, Iterator

import httpx

ENV_API_KEY = "APIXO_API_KEY"
MISSING = f"api_key: missing, and {ENV_API_KEY} is not set"
_VALID = re.compile(r"[!-~]+")
_REPLACEMENT = "[api key]"
_SHORTEST_SECRET = 6  # A shorter key may be an ordinary word of a text.
_SURELY_SECRET = 16  # No ordinary word contains a key of this length.
# These headers describe the encoded body, so they do not match the decoded one.
_WIRE_HEADERS = {b"content-encoding", b"content-length", b"transfer-encoding"}


class ApiKey(httpx.Auth):
    """Authorizes requests, and redacts the key in what the service sends back.

    Without `given` the key comes from APIXO_API_KEY.
    """

    def __init__(self, given: str | None) -> None:
        key = (os.environ.get(ENV_API_KEY, "") if given is None else given).strip()
        if not key:
            raise ValueError(MISSING)
        if not _VALID.fullmatch(key):
            raise ValueError("api_key: must be printable ASCII characters without spaces")
        self._key = key
        # Names of headers and hosts may be in lower case.
        case = re.IGNORECASE if len(key) >= _SURELY_SECRET else re.NOFLAG
        self._pattern = re.compile(_pattern_of(key), re.ASCII | case)
        self._pattern_in_bytes = re.compile(_pattern_of(key).encode(), case)
        # A shorter key in base64 would not be much longer than an ordinary word.
        self._in_base64 = [*_in_base64(key)] if len(key) >= _SURELY_SECRET else []

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the key to a request; httpx calls this."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def redact(self, text: str) -> str:
        """Return the text without the key, also in base64."""
        for form in self._in_base64:
            text = text.replace(form, _REPLACEMENT)
        return self._pattern.sub(_REPLACEMENT, text)

    def redact_bytes(self, body: bytes) -> bytes:
        """Return the body without the key, also in base64."""
        for form in self._in_base64:
            body = body.replace(form.encode(), _REPLACEMENT.encode())
        return self._pattern_in_bytes.sub(_REPLACEMENT.encode(), body)

    def redact_response(self, response: httpx.Response, body: bytes) -> httpx.Response:
        """Return a copy with this decoded body, without the key and without the request."""
        headers = [
            (self.redact_bytes(name), self.redact_bytes(value))
            for name, value in response.headers.raw
            if name.lower() not in _WIRE_HEADERS
        ]
        return httpx.Response(
            response.status_code, headers=headers, content=self.redact_bytes(body)
        )


def _pattern_of(key: str) -> str:
    """Return a pattern for the key as plain text, in JSON or in a URL."""
    if len(key) < _SHORTEST_SECRET:
        return r"(?!)"
    spelled = "".join(_spellings(character) for character in key)
    if len(key) >= _SURELY_SECRET:
        return spelled
    # A key of medium length is redacted only as a whole word.  The letter of an escape such
    # as "\n" is not the start of a word.
    begins = r"(?:(?<![\w-])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
    return rf"{begins}{spelled}(?![\w-])"


def _spellings(character: str) -> str:
    """Return a pattern for a character of the key, in up to three layers of JSON or of URLs."""
    number = ord(character)
    encoded = rf"\\{{1,7}}u{number:04x}|%(?:25){{0,2}}{number:02x}"
    return rf"(?:\\{{0,7}}{re.escape(character)}|(?i:{encoded}))"


def _in_base64(key: str) -> Iterator[str]:
    """Yield the forms of the key within base64: they depend on the position of the key."""
    for bytes_before, shared_characters in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(bytes(bytes_before) + key.encode()).decode()
        form = encoded[shared_characters : (bytes_before + len(key)) * 8 // 6]
        yield from {form, form.replace("+", "-").replace("/", "_")}
