"""HTTP for both clients: build requests, limit responses, and log both."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx

from client_reference.api_key import ApiKey
from client_reference.decoding import REQUESTED_CODING, Decoder
from client_reference.errors import ApixoError, UnexpectedResponse
from client_reference.http_errors import error_for
from client_reference.steps import Fetch, Send
from client_reference.time_limit import TimeLimit

PUBLIC_URL = "https://api.apixo.ai"
ENV_BASE_URL = "APIXO_BASE_URL"
DOWNLOAD_S = 600.0
"""The time limit of one attempt of a download, in seconds."""

# Responses of the API have a few kilobytes.  As JSON, a body may need thirty times its size.
_BODY_MAX = 1024 * 1024  # bytes


class Connection:
    """Builds the requests to one service for one API key.

    `base_url` defaults to the variable APIXO_BASE_URL, then to the public service.
    """

    def __init__(self, api_key: str | None, base_url: str | None, user_agent: str | None) -> None:
        self.api_key = ApiKey(api_key)
        self.base_url = _read_base_url(base_url)
        self.user_agent = _default_user_agent() if user_agent is None else user_agent
        is_printable = self.user_agent.isascii() and self.user_agent.isprintable()
        if not is_printable or self.user_agent != self.user_agent.strip():
            raise ValueError(
                "user_agent: must be printable ASCII characters, without spaces around them"
            )

    def __str__(self) -> str:
        return f"base_url={self.base_url!r}"

    def build_request(self, http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
        """Return the request for a step; the API key is added when it is sent."""
        headers = {
            "User-Agent": self.user_agent,
            "Accept": "application/json",
            "Accept-Encoding": REQUESTED_CODING,
        }
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

    def build_download(self, step: Fetch) -> httpx.Request:
        """Return a request that contains no data about the caller (RES-3).

        The caller's own `http_client` may add parameters, headers and cookies to each request that
        it builds, so it does not build this one.
        """
        return httpx.Request(
            "GET",
            step.url,
            headers={"User-Agent": self.user_agent, **dict(step.headers)},
            extensions={"timeout": httpx.Timeout(step.timeout_s).as_dict()},
        )

    def log_line(
        self, step: Send | Fetch, outcome: httpx.Response | ApixoError, took_s: float
    ) -> str:
        """Return one line about a request and its result, with the key redacted."""
        request = f"{step.method} {step.path}" if isinstance(step, Send) else "GET a result"
        end = outcome.status_code if isinstance(outcome, httpx.Response) else outcome
        return self.api_key.redact(f"{request}: {end} after {took_s * 1000:.0f} ms")

    def translate_error(self, error: Exception, step: Send | Fetch) -> ApixoError:
        """Return the ApixoError for one of HTTP_ERRORS, with the key redacted."""
        address = self.base_url if isinstance(step, Send) else _origin(step.url)
        return error_for(error, address, self.api_key.redact)


class BodyReader:
    """Collects the decoded body of a response, and limits its total time and size.

    The body of an error response adds only details, so one that cannot be read counts as empty.
    """

    def __init__(self, response: httpx.Response, time_limit: TimeLimit, api_key: ApiKey) -> None:
        self._is_error = response.is_error
        self._time_limit = time_limit
        self._api_key = api_key
        self._content = bytearray()
        self._decoder: Decoder | None = None
        with self._forgiving():
            self._decoder = Decoder(response)

    def add(self, part: bytes) -> bool:
        """Append the next part of the body; return whether the rest is wanted."""
        self._time_limit.check()
        if self._decoder is not None:
            with self._forgiving():
                for decoded in self._decoder.decode(part):
                    self._content += decoded
                    self._check_size()
        return self._decoder is not None

    def finish(self) -> bytes:
        """Return the body."""
        self._time_limit.check()
        if self._decoder is not None:
            with self._forgiving():
                self._decoder.end()
        return bytes(self._content)

    def _check_size(self) -> None:
        if len(self._content) > _BODY_MAX:
            head = self._api_key.redact_bytes(bytes(self._content[:1000]))
            raise UnexpectedResponse(f"the body is longer than {_BODY_MAX} bytes", head)

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except UnexpectedResponse:
            self._decoder = None
            self._content.clear()
            if not self._is_error:
                raise


def _read_base_url(given: str | None) -> str:
    """Return scheme, host and any path before `/api/v1`, without a slash at the end."""
    url = given if given is not None else os.environ.get(ENV_BASE_URL, "").strip() or PUBLIC_URL
    name = "base_url" if given is not None else ENV_BASE_URL
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment or any(character <= " " for character in url):
        raise ValueError(f"{name}: must be a URL such as {PUBLIC_URL}, without a query")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name}: must not contain a user name or a password")
    return url.rstrip("/").removesuffix("/api/v1").rstrip("/")


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL, without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@cache
def _default_user_agent() -> str:
    try:
        return f"apixo-client-reference/{version('apixo-testkit')}"
    except PackageNotFoundError:  # The folder was copied into another project.
        return "apixo-client-reference"
