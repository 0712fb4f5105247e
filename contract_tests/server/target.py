"""The server under test, as far as it is known."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the server under test."""

    base_url: str
    is_live: bool
    settings: Mapping[str, Any] | None = None
    """The mock's settings as `/_mock/sandbox` tells them; None where there is no control."""
    info: Mapping[str, Any] | None = None
    """What `/_mock/info` tells of the mock's settings as a whole: price, result_ttl, …"""
    has_other_key: bool = True

    @property
    def has_control(self) -> bool:
        return self.settings is not None
