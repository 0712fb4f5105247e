"""A request of a client, as the pipeline and the endpoints use it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Self, TypeAlias

import msgspec
from starlette.types import Scope

from mock_server.domain.headers import Header
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import SandboxReader
from mock_server.domain.submission import Submission
from mock_server.web.redaction import Redactor, bearer_token

Headers: TypeAlias = Mapping[bytes, bytes]
"""The headers of a request by lower-case name. If a header is repeated, the last one counts."""


class RedactedHeaders(msgspec.Struct, frozen=True):
    """The headers of a request as a durable store may keep them."""

    redactor: Redactor  # Of the key in the headers.
    pairs: tuple[Header, ...]
    # What conditions of rules see. A condition may have the key, or "[redacted]" instead.
    conditions: frozenset[Header]


class HeaderBlock(msgspec.Struct, frozen=True, dict=True):
    """The headers of a request, which requests of one client often share."""

    pairs: tuple[Header, ...]  # As received.
    by_name: Headers

    @classmethod
    def of(cls, pairs: Iterable[Header]) -> Self:
        kept = tuple(pairs)
        return cls(kept, dict(kept))

    @cached_property
    def redacted(self) -> RedactedHeaders:
        redactor = Redactor(bearer_token(self.by_name.get(b"authorization", b"")))
        conditions = frozenset(
            {*self.by_name.items(), *map(redactor.condition, self.by_name.items())}
        )
        return RedactedHeaders(redactor, redactor.headers_everywhere(self.pairs), conditions)


class Target(msgspec.Struct, frozen=True):
    """The method and the path of a request."""

    method: str
    path: str
    raw_path: bytes  # As received, still percent-encoded.

    @classmethod
    def of(cls, scope: Scope) -> Self:
        path = scope["path"]
        return cls(scope["method"], path, scope.get("raw_path") or path.encode())


class LocalAddress(msgspec.Struct, frozen=True):
    """The address of this server to which the client of a request is connected."""

    scheme: str
    name_and_port: tuple[str, int]

    @classmethod
    def of(cls, scope: Scope) -> Self:
        return cls(scope["scheme"], scope["server"])


class RequestNote(msgspec.Struct):
    """The facts about a request that only its handler knows.

    It is in the scope as `NOTE` while the request is logged.
    """

    sandbox: str = ""
    task: str = ""
    rule: str = ""
    fault: str = ""

    def take(
        self, sandbox: SandboxReader, task_id: str = "", match: RuleMatch | None = None
    ) -> None:
        self.sandbox, self.task = sandbox.id, task_id
        if match is not None:
            self.rule, self.fault = match.rule, match.effect.fault


NOTE = "mock_server.note"


class ProviderRequest(msgspec.Struct, gc=False):
    """A request for a sandbox. `match` is the rule that applies to it, once it is known."""

    target: Target
    query: bytes
    block: HeaderBlock
    address: LocalAddress
    sandbox: SandboxReader
    began_ns: int  # Real time.
    real_ms: int  # The real instant of its commands.
    body: bytes | None = b""  # None if it is too large.
    match: RuleMatch | None = None
    note: RequestNote | None = None  # None if the request is not logged.
    task_id: str = ""  # That of a status request, once it is known.
    submission: Submission | None = None  # The decoded body of a submit, once it is known.
    known_changes: int | None = None  # See `ReadStatus`; None if the store need not check it.

    @property
    def headers(self) -> Headers:
        return self.block.by_name
