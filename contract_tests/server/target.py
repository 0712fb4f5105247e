"""The known properties of the server under test."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The known properties of the server under test."""

    base_url: str
    is_live: bool
    settings: Mapping[str, Any] | None = None
    """The mock's settings from `/_mock/sandbox`; None without a control plane."""
    info: Mapping[str, Any] | None = None
    """The mock's server-wide settings from `/_mock/info`, such as price and result_ttl."""
    has_other_key: bool = True
    """Whether the kit has a second API key that the target accepts."""
    has_own_keys: bool = True
    """Whether the target accepts any API key, so that each case can use keys of its own."""

    @property
    def has_control(self) -> bool:
        return self.settings is not None
