"""The records of a case: HTTP exchanges, tasks and the exit of the client."""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from contract_tests.client.faults import BREAKS_RESPONSE, FALSE_CALLBACK, SPOILS_PICTURE
from contract_tests.client.stored_files import StoredFile

API_OPERATIONS: Final = ("submit", "status", "balance")
"""The operations of the provider's API. Downloads and callbacks go to other hosts."""


class Trait(StrEnum):
    """What the user of the audit declares about a client; the value is the name of the switch."""

    NO_DOWNLOAD = "--no-download"
    NO_RETRY = "--no-retry"
    AGENT = "--agent"

    @property
    def meaning(self) -> str:
        """What the client does, as the end of a sentence."""
        return _TRAITS[self]


_TRAITS: Final = {
    Trait.NO_DOWNLOAD: "the client does not download results",
    Trait.NO_RETRY: "the client does not retry requests",
    Trait.AGENT: "the command is an agent, which words its reports and prompts by itself",
}


class HttpExchange(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A journal entry: a request with its response, or one delivery attempt of a callback.

    `number` is the entry's sequence number. `at_ms` is the instant of the response, in Unix
    milliseconds on the sandbox's clock. `injected` names the faults that rules applied.
    `began_ms` is the real instant at which the request arrived; None if it is unknown.
    `client_status` is the status that the client received instead of `status`, 0 if it received
    none, and None if it is the same.
    """

    number: int
    at_ms: int
    operation: str
    task_id: str
    status: int
    duration_ms: float
    injected: frozenset[str]
    error: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str
    response_headers: tuple[tuple[str, str], ...]
    response_body: str
    is_injected_rejection: bool = False  # A rule rejected the request, whatever it contained.
    began_ms: int | None = None
    client_status: int | None = None

    @property
    def shown_status(self) -> int:
        """The status that the client received, 0 if there was no response."""
        return self.status if self.client_status is None else self.client_status

    def header(self, name: str) -> str | None:
        """Return a request header; `name` is in lower case."""
        return _first_value(self.headers, name)

    def response_header(self, name: str) -> str | None:
        """Return a response header; `name` is in lower case."""
        return _first_value(self.response_headers, name)

    @property
    def is_broken(self) -> bool:
        """Whether an injected fault made the response unreadable."""
        return bool(self.injected & BREAKS_RESPONSE)

    @property
    def is_spoiled(self) -> bool:
        """Whether an injected fault made the response unreadable or its picture wrong."""
        return self.is_broken or bool(self.injected & SPOILS_PICTURE)

    @cached_property
    def request_json(self) -> Any:
        """The decoded request body, or None if it is not JSON."""
        return _decode(self.body)

    @cached_property
    def input_key(self) -> str:
        """A text that is the same for all submits with the same `input`."""
        if not isinstance(self.request_json, dict):
            return self.body
        return _canonical(self.request_json.get("input"), self.body)

    @cached_property
    def body_key(self) -> str:
        """A text that is the same for all bodies with the same content."""
        return self.body if self.request_json is None else _canonical(self.request_json, self.body)

    @cached_property
    def response_json(self) -> Any:
        """The decoded response body, or None if it is not JSON."""
        return _decode(self.response_body)

    @cached_property
    def payload(self) -> Mapping[str, Any]:
        """`data` of the response, or of the callback's body; empty if it is not an object."""
        body = _decode(self.body) if self.operation == "callback" else self.response_json
        data = body.get("data") if isinstance(body, dict) else None
        return data if isinstance(data, dict) else {}

    @property
    def state(self) -> str:
        """The task state in the payload; empty if it is missing or not a string."""
        state = self.payload.get("state")
        return state if isinstance(state, str) else ""

    @property
    def requested_task_id(self) -> str | None:
        """The `taskId` of a status request, decoded as a server decodes it."""
        query = self.path.partition("?")[2].partition("#")[0]
        pairs = parse_qsl(query, keep_blank_values=True)
        return next((value for name, value in pairs if name == "taskId"), None)

    @property
    def resource_path(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the control plane describes it; instants in Unix milliseconds."""

    id: str
    num_images: int
    created_ms: int
    state: str
    ended_ms: int | None = None
    fail_code: str | None = None
    result_urls: tuple[str, ...] = ()


class ClientExit(msgspec.Struct, frozen=True, kw_only=True):
    """How the client's process ended. `output` holds standard output and standard error.

    `has_printed_key` is true if the output contained the API key. `files` are the files in the
    output directory; None if the client was not told the directory.
    """

    exit_status: int
    output: str = ""
    has_printed_key: bool = False
    files: tuple[StoredFile, ...] | None = None
    timed_out: bool = False
    after_s: float = 0.0

    @property
    def is_failure(self) -> bool:
        """Whether the client itself reported a failure, rather than being stopped."""
        return self.exit_status != 0 and not self.timed_out


def is_genuine_callback(exchange: HttpExchange) -> bool:
    """Tell whether a delivery attempt has the actual final state of the task."""
    return exchange.operation == "callback" and not exchange.injected & FALSE_CALLBACK


def path_of(url: str) -> str:
    """Return the decoded path of a URL. Any text is a URL here, because a server may send it."""
    path = "/" + url.partition("://")[2].partition("/")[2]
    return unquote(path.partition("?")[0])


def _first_value(headers: tuple[tuple[str, str], ...], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _canonical(content: Any, body: str) -> str:
    try:
        return json.dumps(content, sort_keys=True)
    except RecursionError:  # The decoder accepts slightly deeper nesting than the encoder.
        return body


def _decode(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
