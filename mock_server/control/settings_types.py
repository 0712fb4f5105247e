"""The settings in requests and responses, as types that are derived from their declarations.

Only the control plane needs these types, and it takes some time to make them.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from mock_server.domain.sandbox_settings import SandboxDefaults, SandboxSettings
from mock_server.domain.setting import answer_type, change_type, changed_values, shown_values
from mock_server.settings import Settings

if TYPE_CHECKING:  # A type checker cannot see the members of a derived type.

    class SandboxChange(msgspec.Struct): ...

    class ShownSettings(msgspec.Struct): ...

    class ShownServerSettings(msgspec.Struct): ...

else:
    SandboxChange = change_type(
        "SandboxChange", SandboxDefaults, "Settings to change; the others stay as they are."
    )
    ShownSettings = answer_type(
        "ShownSettings", SandboxDefaults, "The settings of a sandbox.", is_nullable=False
    )
    ShownServerSettings = answer_type(
        "ShownServerSettings", Settings, "All settings but the secrets.", is_nullable=True
    )


def changes_of(change: SandboxChange) -> dict[str, Any]:
    """Return the new values of a PATCH, by field of SandboxSettings. Raises InvalidValue."""
    return changed_values(SandboxDefaults, change)


def shown_settings(settings: SandboxSettings, default_generation_ms: int) -> ShownSettings:
    """Return the settings as the control plane shows them.

    `default_generation_ms` is the model's generation time in milliseconds.
    """
    if settings.generation_time_ms is None:
        settings = msgspec.structs.replace(settings, generation_time_ms=default_generation_ms)
    return ShownSettings(**shown_values(SandboxDefaults, settings))
