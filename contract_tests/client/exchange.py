"""One exchange of a journal, and what else a client leaves behind: its tasks, its end."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from contract_tests.client.faults import BREAKS_RESPONSE, FALSE_CALLBACK


class Exchange(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A request and its answer, or an attempt of a callback, as the journal tells it.

    `at_ms` is the instant of the answer on the sandbox's clock; `injected` what a rule did.
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
    answer_headers: tuple[tuple[str, str], ...]
    answer_body: str

    def header(self, name: str) -> str | None:
        return _found(self.headers, name)

    def answer_header(self, name: str) -> str | None:
        return _found(self.answer_headers, name)

    @property
    def is_broken(self) -> bool:
        """Whether the answer did not arrive as one that can be read."""
        return bool(self.injected & BREAKS_RESPONSE)

    @property
    def is_refused_on_purpose(self) -> bool:
        return any(fault.startswith("refuse ") for fault in self.injected)

    @cached_property
    def sent(self) -> Any:
        """The body of the request, decoded; None when it is no JSON."""
        return _decoded(self.body)

    @cached_property
    def wish(self) -> str:
        """What a submit asks for: the same wish twice is the same picture twice."""
        if not isinstance(self.sent, dict):
            return self.body
        try:
            return json.dumps(self.sent.get("input"), sort_keys=True)
        except RecursionError:  # nested just as deep as could be read
            return self.body

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """`data` of what was answered, or of what a callback told; empty when it is none."""
        body = _decoded(self.body if self.operation == "callback" else self.answer_body)
        data = body.get("data") if isinstance(body, dict) else None
        return data if isinstance(data, dict) else {}

    @property
    def state(self) -> str:
        """The state that was told; empty when there is none, or what is there is no word."""
        state = self.told.get("state")
        return state if isinstance(state, str) else ""

    @property
    def asked_id(self) -> str | None:
        """The `taskId` of a status request, as a server reads it."""
        query = self.path.partition("?")[2].partition("#")[0]
        pairs = parse_qsl(query, keep_blank_values=True)
        return next((value for name, value in pairs if name == "taskId"), None)

    @property
    def address(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


class TaskSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    num_images: int
    created_ms: int
    state: str
    ended_ms: int | None = None
    fail_code: str | None = None
    result_urls: tuple[str, ...] = ()


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How the client ended; `output` is what it wrote, both streams."""

    exit_status: int
    output: str = ""
    timed_out: bool = False
    after_s: float = 0.0


def is_true_callback(exchange: Exchange) -> bool:
    """Tell whether it is a callback that tells the truth, whenever and how often it comes."""
    return exchange.operation == "callback" and not exchange.injected & FALSE_CALLBACK


def _found(headers: tuple[tuple[str, str], ...], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _decoded(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
