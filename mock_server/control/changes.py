"""What control can be asked to change, as types that validate."""

from typing import Any

import msgspec

from mock_server.control.errors import ControlError
from mock_server.control.openapi.references import ProfileName, Written
from mock_server.domain.durations import duration_ms
from mock_server.domain.ledger import MICRO
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.profiles import Profile, changed_profile
from mock_server.domain.sandbox_settings import (
    CreditsStatus,
    Dollars,
    ImageFailCodes,
    ImageUrls,
    Limit,
    SandboxSettings,
    TaskIds,
)


class Profiles(msgspec.Struct, frozen=True):
    known: dict[str, Profile]
    base: SandboxSettings  # what the server says without any profile


class SandboxChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """PATCH sandbox: any of these."""

    rate_limit: Limit | None = None
    max_concurrent: Limit | None = None
    generation_time: Written | None = None
    balance: Dollars | None = None
    profile: ProfileName | None = None
    image_urls: ImageUrls | None = None
    image_fail_codes: ImageFailCodes | None = None
    strict: bool | None = None
    insufficient_credits_status: CreditsStatus | None = None
    retry_after: bool | None = None
    task_ids: TaskIds | None = None

    def apply(self, settings: SandboxSettings, profiles: Profiles) -> SandboxSettings:
        """Return the changed settings. Raises ControlError."""
        if self.profile is not None:
            new = self.new_profile(profiles)
            old = profiles.known.get(settings.profile, new)  # of a snapshot from elsewhere
            settings = changed_profile(settings, old, new, profiles.base)
        given: dict[str, Any] = {
            name: value
            for name in self.__struct_fields__
            if name != "profile"
            and name in SandboxSettings.__struct_fields__
            and (value := getattr(self, name)) is not None
        }
        if self.generation_time is not None:
            given["generation_time_ms"] = duration("generation_time", self.generation_time)
        if self.balance_microusd is not None:
            given["balance_microusd"] = self.balance_microusd
        return msgspec.structs.replace(settings, **given)

    def new_profile(self, profiles: Profiles) -> Profile:
        """Raise ControlError when there is no such profile."""
        name = str(self.profile)
        if name not in profiles.known:
            raise ControlError(
                400, f"profile: {name!r} is unknown{did_you_mean(name, profiles.known)}"
            )
        return profiles.known[name]

    @property
    def balance_microusd(self) -> int | None:
        return None if self.balance is None else round(self.balance * MICRO)


def duration(name: str, written: Written) -> int:
    """Raise ControlError unless it is a duration."""
    try:
        return duration_ms(written)
    except ValueError as error:
        raise ControlError(400, f"{name}: {error}") from error
