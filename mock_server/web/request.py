"""A request of a client, as the pipeline and the endpoints use it."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from starlette.types import Scope

from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import SandboxReader

Headers: TypeAlias = Mapping[bytes, bytes]
"""The headers of a request by lower-case name. If a header is repeated, the last one counts."""


class ProviderRequest(msgspec.Struct, gc=False):
    """A request for a sandbox. `match` is the rule that applies to it, once it is known."""

    scope: Scope
    headers: Headers
    sandbox: SandboxReader
    began_ns: int  # Real time.
    real_ms: int  # The real instant of its commands.
    body: bytes | None = b""  # None if it is too large.
    match: RuleMatch | None = None
