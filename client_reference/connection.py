"""What both clients know of HTTP: where the service is, who asks, what httpx's errors mean."""

import os
import re
import time
from collections.abc import Generator
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx

from client_reference.errors import ApiTimeout, ApixoError, TransportError, UnexpectedResponse
from client_reference.steps import Fetch, Send

PUBLIC_URL = "https://api.apixo.ai"
ENV_API_KEY = "APIXO_API_KEY"
ENV_BASE_URL = "APIXO_BASE_URL"
DOWNLOAD_S = 600.0  # how long a download may take until it is begun again
_ANSWER_MAX = 16 * 1024 * 1024  # bytes of an answer
_KEY = re.compile(r"[!-~]+")
_OF_THE_WIRE = {b"content-encoding", b"content-length", b"transfer-encoding"}
_SHORTEST_SECRET = 6  # a shorter key is a word that any text may hold
_SURELY_SECRET = 16  # a key that long is part of no other word
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
               httpx.UnsupportedProtocol)  # fmt: skip

HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError)


class ApiKey(httpx.Auth):
    """Adds the key to a request, and takes it out of what the service says back (AUTH-1)."""

    def __init__(self, given: str | None) -> None:
        key = (os.environ.get(ENV_API_KEY, "") if given is None else given).strip()
        if not key:
            raise ValueError(f"api_key: none was given, and {ENV_API_KEY} is not set")
        if not _KEY.fullmatch(key):
            raise ValueError("api_key: must be printable ASCII characters without spaces")
        self._key = key
        self._echo = re.compile(_echo(key), re.ASCII)
        self._echo_bytes = re.compile(_echo(key).encode())

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def without_key(self, response: httpx.Response, body: bytes) -> httpx.Response:
        """Return a copy of a response with this decoded body, without the key and the request."""
        return httpx.Response(
            response.status_code,
            headers=[
                (name, self.hide_in_bytes(value))
                for name, value in response.headers.raw
                if name.lower() not in _OF_THE_WIRE
            ],
            content=self.hide_in_bytes(body),
        )

    def hide(self, text: str) -> str:
        return self._echo.sub("[api key]", text)

    def hide_in_bytes(self, body: bytes) -> bytes:
        return self._echo_bytes.sub(b"[api key]", body)


def _echo(key: str) -> str:
    """Return the pattern of the key as a text, JSON or an address may write it."""
    if len(key) < _SHORTEST_SECRET:
        return r"(?!)"
    written = "".join(_written(character) for character in key)
    if len(key) >= _SURELY_SECRET:
        return written
    begins = r"(?:(?<![\w-])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"  # "\n" holds no word
    return rf"{begins}{written}(?![\w-])"


def _written(character: str) -> str:
    number = ord(character)
    return rf"(?:\\{{0,3}}{re.escape(character)}|(?i:\\{{1,3}}u{number:04x}|%{number:02x}))"


class Identity:
    """Where the service is and who asks."""

    def __init__(self, api_key: str | None, base_url: str | None, user_agent: str | None) -> None:
        self.api_key = ApiKey(api_key)
        self.base_url = _base_url(base_url)
        self.user_agent = _default_user_agent() if user_agent is None else user_agent
        is_clean = self.user_agent.isascii() and self.user_agent.isprintable()
        if not is_clean or self.user_agent != self.user_agent.strip():
            raise ValueError("user_agent: must be printable ASCII characters, no space around them")

    def __str__(self) -> str:
        return f"base_url={self.base_url!r}"

    def request(self, http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
        headers = {"User-Agent": self.user_agent, "Accept": "application/json"}
        if step.content is not None:
            headers["Content-Type"] = "application/json"
        return http.build_request(
            step.method,
            self.base_url + step.path,
            params=step.query or None,
            content=step.content,
            headers=headers,
            timeout=step.timeout_s,
        )

    def download(self, step: Fetch, timeout_s: float) -> httpx.Request:
        """Build a request that tells the result's host nothing about the caller (RES-3).

        An `http_client` of the caller's may add parameters, headers and cookies to what it builds
        itself, so it builds nothing here.
        """
        return httpx.Request(
            "GET",
            step.url,
            headers={"User-Agent": self.user_agent, **dict(step.headers)},
            extensions={"timeout": httpx.Timeout(timeout_s).as_dict()},
        )

    def told(self, step: Send | Fetch, came: httpx.Response | ApixoError, took_s: float) -> str:
        """Say in one line, for the log, what was asked and what came of it."""
        asked = f"{step.method} {step.path}" if isinstance(step, Send) else "GET a result"
        end = f"{came.status_code}" if isinstance(came, httpx.Response) else f"{came}"
        return self.api_key.hide(f"{asked}: {end} after {took_s * 1000:.0f} ms")


def _base_url(given: str | None) -> str:
    """Return scheme, host and any path before `/api/v1`, without a slash at the end."""
    url = given if given is not None else os.environ.get(ENV_BASE_URL, "").strip() or PUBLIC_URL
    name = "base_url" if given is not None else ENV_BASE_URL
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment or any(character <= " " for character in url):
        raise ValueError(f"{name}: must be an address such as {PUBLIC_URL}, without a query")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name}: must not hold a user name or a password")
    return url.rstrip("/").removesuffix("/api/v1").rstrip("/")


def _default_user_agent() -> str:
    try:
        return f"apixo-client-reference/{version('apixo-testkit')}"
    except PackageNotFoundError:  # copied into another project
        return "apixo-client-reference"


class Patience:
    """Ends an answer that drips in for ever; a read that blocks is ended by httpx's timeout."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until_s = time.monotonic() + timeout_s

    def check(self) -> None:
        if time.monotonic() > self._until_s:
            raise ApiTimeout(f"no whole answer within {self._timeout_s:g} s")


class Body:
    """Collects the body of an answer, which must not be endless."""

    def __init__(self, timeout_s: float, api_key: ApiKey) -> None:
        self._patience = Patience(timeout_s)
        self._api_key = api_key
        self.content = bytearray()

    def add(self, part: bytes) -> None:
        self.content += part
        if len(self.content) > _ANSWER_MAX:
            head = self._api_key.hide_in_bytes(bytes(self.content[:1000]))
            raise UnexpectedResponse(f"the body is longer than {_ANSWER_MAX} bytes", head)
        self._patience.check()


def error_of(error: Exception, api_key: ApiKey) -> ApixoError:
    """Say in the words of our own tree what httpx has raised; the key is taken out of them."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    said = api_key.hide(str(error))
    sentence = f"{kind}: {said}" if said else kind
    was_sent = not isinstance(error, _NEVER_SENT)
    if isinstance(error, httpx.TimeoutException):
        return ApiTimeout(sentence, was_sent=was_sent)
    if isinstance(error, httpx.DecodingError):
        return UnexpectedResponse(sentence, is_garbled=True)
    if isinstance(error, httpx.InvalidURL | UnicodeError):
        return UnexpectedResponse(sentence)
    return TransportError(sentence, was_sent=was_sent)
