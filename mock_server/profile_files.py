"""Reads what sandboxes begin with: profiles, rules of a settings file, a snapshot."""

from pathlib import Path

from mock_server.catalogue_files import FIXTURES
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.errors import InvalidValue, RuleError
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.profiles import Profile, parse_profile
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.snapshot import Snapshot, parse_snapshot
from mock_server.settings import BadSetting, Settings


def load_profiles(catalogue: Catalogue) -> dict[str, Profile]:
    """Return the profiles by name."""
    return {
        path.stem: parse_profile(path.stem, path.read_bytes(), catalogue.fail_messages)
        for path in sorted((FIXTURES / "profiles").glob("*.toml"))
    }


def chosen_profile(settings: Settings, profiles: dict[str, Profile]) -> Profile:
    """Raise BadSetting when the settings name no profile."""
    try:
        return profiles[settings.profile]
    except KeyError as error:
        hint = did_you_mean(settings.profile, profiles)
        raise BadSetting(f"--profile: {settings.profile!r} is unknown{hint}") from error


def chosen_rules(settings: Settings, catalogue: Catalogue) -> tuple[RuleDefinition, ...]:
    """Raise BadSetting naming the path of what is wrong in `[[rules]]`."""
    try:
        return tuple(
            parse_rule(rule, f"rules[{at}]", catalogue.fail_messages)
            for at, rule in enumerate(settings.rules)
        )
    except RuleError as error:
        raise BadSetting(str(error)) from error


def chosen_snapshot(settings: Settings, catalogue: Catalogue) -> Snapshot | None:
    """Raise BadSetting when the file cannot be read or holds no snapshot."""
    if settings.restore is None:
        return None
    try:
        snapshot = parse_snapshot(Path(settings.restore).read_bytes(), catalogue)
    except (OSError, InvalidValue) as error:
        raise BadSetting(f"--restore: {settings.restore}: {error}") from error
    if len(snapshot.tasks) > settings.max_tasks:
        raise BadSetting(
            f"--restore: {settings.restore} has {len(snapshot.tasks)} tasks, more than --max-tasks"
        )
    return snapshot
