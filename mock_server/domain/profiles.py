"""Profiles: ready rule sets, with the limits and the generation time that go with them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.domain.durations import duration_ms
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import Limit, SandboxSettings

CALM = "calm"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is None is left as it is."""

    name: str
    about: str
    rate_limit: int | None = None  # LIM-6
    max_concurrent: int | None = None
    generation_time_ms: int | None = None
    rules: tuple[RuleDefinition, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    about: str
    rate_limit: Limit | None = None
    max_concurrent: Limit | None = None
    generation_time: str | None = None
    rules: list[dict[str, Any]] = []


def parse_profile(name: str, raw: bytes, fail_codes: Mapping[str, str]) -> Profile:
    """Read the TOML text of a profile. Raises ValueError for what is no profile."""
    read = msgspec.toml.decode(raw, type=_File)
    return Profile(
        name=name,
        about=read.about,
        rate_limit=read.rate_limit,
        max_concurrent=read.max_concurrent,
        generation_time_ms=None
        if read.generation_time is None
        else duration_ms(read.generation_time),
        rules=tuple(
            parse_rule(rule, f"rules[{at}]", fail_codes) for at, rule in enumerate(read.rules)
        ),
    )


def changed_profile(
    settings: SandboxSettings, old: Profile, new: Profile, base: SandboxSettings
) -> SandboxSettings:
    """Return the settings under another profile.

    What the old profile had set goes back to `base`, what the server says without any profile.
    """
    changes: dict[str, Any] = {"profile": new.name}
    for member in ("rate_limit", "max_concurrent", "generation_time_ms"):
        if getattr(new, member) is not None:
            changes[member] = getattr(new, member)
        elif getattr(old, member) is not None:
            changes[member] = getattr(base, member)
    return msgspec.structs.replace(settings, **changes)
