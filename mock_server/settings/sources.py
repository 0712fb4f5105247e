"""Read the settings from their sources. Precedence: command line, then environment, then file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mock_server.domain.errors import InvalidValue, reason_of
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.setting import declarations
from mock_server.settings.server import ENV_PREFIX, Settings, switch, variable


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str], config: Path | None
) -> Settings:
    """Return the settings of the three sources.

    `given` has the values of the command line by public name. Raises InvalidValue.
    """
    written = {} if config is None else _read_file(config)
    values: dict[str, Any] = {}
    for each in declarations(Settings):
        name = each.name
        if name in given:
            values[each.field] = each.parse(given[name], switch(each), is_text=True)
        elif variable(each) in environ and not each.setting.is_file_only:
            values[each.field] = each.parse(environ[variable(each)], variable(each), is_text=True)
        else:
            for key, value in written.get(name, []):
                values[each.field] = each.parse(value, f"{config}: {key}")
    return Settings(**values)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable with our prefix that is not a setting."""
    known = {variable(each) for each in declarations(Settings) if not each.setting.is_file_only}
    known.add(f"{ENV_PREFIX}CONFIG")
    return [
        f"{name}: is not a setting{did_you_mean(name, known)}"
        for name in sorted(environ)
        if name.startswith(ENV_PREFIX) and name not in known
    ]


def _read_file(path: Path) -> dict[str, list[tuple[str, Any]]]:
    """Return the keys and values of the file by public name; a key may have hyphens."""
    try:
        read = msgspec.toml.decode(path.read_bytes())
    except OSError as error:
        raise InvalidValue(str(path), f"cannot be read; {reason_of(error)}") from error
    # A number of more than 4,300 digits is a plain ValueError.
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise InvalidValue(str(path), f"cannot be read as TOML; {error}") from error
    written: dict[str, list[tuple[str, Any]]] = {each.name: [] for each in declarations(Settings)}
    for key, value in read.items():
        name = key.replace("-", "_")
        if name not in written:
            raise InvalidValue(f"{path}: {key}", f"is not a setting{did_you_mean(key, written)}")
        written[name].append((key, value))
    return written
