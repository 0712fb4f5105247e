"""Help, version and error messages of `contract-tests`."""

from importlib.metadata import version

import pytest

from contract_tests.contract.text import count
from tests.contract_tests.commands import contract_tests

COMMANDS = ("list", "plan", "run", "diff", "audit", "matrix")


@pytest.mark.parametrize("command", [(), *((each,) for each in COMMANDS)], ids=" ".join)
def test_short_help_switch_prints_the_help(command: tuple[str, ...]) -> None:
    short = contract_tests(*command, "-h", is_watched=True)
    long = contract_tests(*command, "--help", is_watched=True)

    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout == long.stdout
    assert short.stdout.startswith("Usage: contract-tests")


def test_version_is_that_of_the_package() -> None:
    ended = contract_tests("--version", is_watched=True)

    assert (ended.returncode, ended.stdout) == (0, f"contract-tests {version('apixo-testkit')}\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("walk",), "Error: no such command 'walk'"),
        (("run", "--seed", "x"), "Error: --seed: 'x' is not a valid"),
        (("run", "--suite", "quick"), "Error: --suite: 'quick' is not one of"),
        (("run", "--profile", "quick"), "Error: --suite: 'quick' is not one of"),
        (("run", "--base-url", "nowhere"), "Error: --base-url: must be a URL"),
        (("audit",), "Error: one of --exec COMMAND and --watch"),
        (("diff", "docs"), "Error: missing argument 'B'"),
        (("diff", "docs", "nowhere"), "Error: B: Directory 'nowhere' does not exist"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_error_is_one_line_in_one_style(words: tuple[str, ...], told: str) -> None:
    ended = contract_tests(*words, is_watched=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(told)
    assert ended.stderr.count("\n") == 1


def test_usage_error_names_the_help_of_its_command() -> None:
    ended = contract_tests("run", "--nope", is_watched=True)

    assert ended.stderr.endswith("; see contract-tests run --help\n")


def test_only_one_thing_is_singular() -> None:
    assert [count(number, "case") for number in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
