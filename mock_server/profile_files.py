"""Read the initial state of sandboxes: profiles, rules of the configuration file, a snapshot."""

from pathlib import Path

from mock_server.catalogue_files import FIXTURES
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.errors import InvalidValue, quoted, reason_of
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.profiles import CALM, Profile, Profiles, parse_profile
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import PROFILES
from mock_server.domain.snapshot import Snapshot, parse_snapshot
from mock_server.settings import Settings


def load_profiles(settings: Settings, catalogue: Catalogue) -> Profiles:
    """Return all profiles."""
    known = {name: _load(name, catalogue) for name in PROFILES}
    return Profiles(
        known=known, chosen=known[settings.profile], base=settings.of_sandbox(known[CALM])
    )


def chosen_profile(settings: Settings, catalogue: Catalogue) -> Profile:
    """Return the profile that the settings name. Raise InvalidValue if there is none."""
    if settings.profile not in PROFILES:
        hint = did_you_mean(settings.profile, PROFILES)
        raise InvalidValue("--profile", f"{quoted(settings.profile)} is unknown{hint}")
    return _load(settings.profile, catalogue)


def _load(name: str, catalogue: Catalogue) -> Profile:
    raw = (FIXTURES / "profiles" / f"{name}.toml").read_bytes()
    return parse_profile(name, raw, catalogue.fail_messages)


def chosen_rules(settings: Settings, catalogue: Catalogue) -> tuple[RuleDefinition, ...]:
    """Return the rules of the configuration file. Raise RuleError for an invalid one."""
    return tuple(
        parse_rule(rule, f"rules[{at}]", catalogue.fail_messages)
        for at, rule in enumerate(settings.rules)
    )


def chosen_snapshot(settings: Settings, catalogue: Catalogue) -> Snapshot | None:
    """Return the snapshot to restore. Raise InvalidValue if the file is not a snapshot."""
    if settings.restore is None:
        return None
    try:
        snapshot = parse_snapshot(Path(settings.restore).read_bytes(), catalogue)
    except (OSError, InvalidValue) as error:
        raise InvalidValue("--restore", f"{settings.restore}: {reason_of(error)}") from error
    if len(snapshot.tasks) > settings.max_tasks:
        found = f"{settings.restore} has {len(snapshot.tasks)} tasks, more than --max-tasks"
        raise InvalidValue("--restore", found)
    return snapshot
