"""Profiles: predefined rules with matching limits and generation time."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.domain.durations import Duration, checked_duration_ms
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import Limit, SandboxSettings
from mock_server.domain.validation import convert

CALM = "calm"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile. A setting that is None keeps the server's value."""

    name: str
    about: str
    rate_limit: int | None = None  # LIM-6
    max_concurrent: int | None = None
    generation_time_ms: int | None = None
    rules: tuple[RuleDefinition, ...] = ()


class Profiles(msgspec.Struct, frozen=True):
    """All profiles by name, the chosen one, and the settings of the server without a profile."""

    known: dict[str, Profile]
    chosen: Profile
    base: SandboxSettings


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    about: str
    rate_limit: Limit | None = None
    max_concurrent: Limit | None = None
    generation_time: Duration | None = None
    rules: list[dict[str, Any]] = []


def parse_profile(name: str, raw: bytes, fail_codes: Mapping[str, str]) -> Profile:
    """Return the profile in a TOML text. Raises InvalidValue."""
    read = convert(msgspec.toml.decode(raw), _File, whole=name)
    return Profile(
        name=name,
        about=read.about,
        rate_limit=read.rate_limit,
        max_concurrent=read.max_concurrent,
        generation_time_ms=None
        if read.generation_time is None
        else checked_duration_ms(read.generation_time, "generation_time"),
        rules=tuple(
            parse_rule(rule, f"rules[{at}]", fail_codes) for at, rule in enumerate(read.rules)
        ),
    )


def changed_profile(
    settings: SandboxSettings, old: Profile, new: Profile, base: SandboxSettings
) -> SandboxSettings:
    """Return the settings with another profile.

    Settings that only the old profile sets return to `base`, the server's values without a
    profile.
    """
    changes: dict[str, Any] = {"profile": new.name}
    for member in ("rate_limit", "max_concurrent", "generation_time_ms"):
        if getattr(new, member) is not None:
            changes[member] = getattr(new, member)
        elif getattr(old, member) is not None:
            changes[member] = getattr(base, member)
    return msgspec.structs.replace(settings, **changes)
