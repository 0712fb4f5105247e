"""One request of a client, as the pipeline and its endpoint see it."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from starlette.types import Scope

from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import SandboxReader

Headers: TypeAlias = Mapping[bytes, bytes]
"""The headers of a request, names in lower case; the last of a name counts."""


class ProviderRequest(msgspec.Struct, gc=False):
    """A request that reached a sandbox. `match` is the rule that applies to it, once known."""

    scope: Scope
    headers: Headers
    sandbox: SandboxReader
    began_ns: int  # Real time.
    real_ms: int  # The real instant that its commands carry.
    body: bytes | None = b""  # None: larger than the server takes.
    match: RuleMatch | None = None
