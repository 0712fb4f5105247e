"""The README's table of switches says what the command takes."""

import re
from pathlib import Path

import pytest

from mock_server.options import OPTIONS, Option

README = Path(__file__).parents[3] / "README.md"
ROW = re.compile(
    r"^\| `(?P<switch>--[a-z-]+)(?: (?P<metavar>[^`]*))?` "
    r"\| `(?P<variable>\w+)` \| (?P<default>[^|]+) \|"
)
ROWS = {
    found["variable"]: found
    for line in README.read_text("utf-8").replace(r"\|", "/").splitlines()
    if (found := ROW.match(line))
}


def default_of(option: Option) -> str:
    if option.metavar is None:
        return "on" if option.default else "off"
    default = option.shown_default or option.default
    return f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_switch_stands_in_the_table_with_its_variable_and_default(option: Option) -> None:
    row = ROWS[option.variable]

    assert row["switch"] in {option.switch, option.switch.replace("--", "--no-", 1)}
    assert row["default"].strip().strip("`") == default_of(option)
    assert row["metavar"] == (option.metavar and option.metavar.replace("|", "/"))


def test_the_table_names_nothing_else() -> None:
    assert list(ROWS) == [option.variable for option in OPTIONS]


def test_the_readme_names_the_switch_of_the_file() -> None:
    assert "`--config FILE.toml`" in README.read_text("utf-8")
