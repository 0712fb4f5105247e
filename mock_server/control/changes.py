"""Apply a change of settings from the body of `PATCH /_mock/sandbox`."""

import msgspec

from mock_server.control.errors import ControlError
from mock_server.control.settings_types import SandboxChange, changes_of
from mock_server.domain.errors import InvalidValue
from mock_server.domain.profiles import Profiles, changed_profile
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import SandboxSettings


class SettingsUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The result of `PATCH /_mock/sandbox`. None leaves the balance or the rules as they are."""

    settings: SandboxSettings
    balance_microusd: int | None
    profile_rules: tuple[RuleDefinition, ...] | None


def updated_settings(
    settings: SandboxSettings, change: SandboxChange, profiles: Profiles
) -> SettingsUpdate:
    """Return the settings with the change applied. Raises ControlError."""
    try:
        values = changes_of(change)
    except InvalidValue as error:
        raise ControlError(400, str(error)) from error
    new = None if "profile" not in values else profiles.known[values["profile"]]
    if new is not None:
        old = profiles.known.get(settings.profile, new)  # A snapshot may name an unknown profile.
        settings = changed_profile(settings, old, new, profiles.base)
    return SettingsUpdate(
        settings=msgspec.structs.replace(settings, **values),
        balance_microusd=values.get("balance_microusd"),
        profile_rules=None if new is None else new.rules,
    )
