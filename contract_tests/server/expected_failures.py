"""Expected failures: a TOML file of case ids, each with the reason why the case may fail."""

import tomllib
from collections.abc import Collection
from pathlib import Path

from contract_tests.contract.errors import ExpectedFailuresError, reason_of
from contract_tests.contract.program import command_line


def load_expected_failures(path: Path, case_ids: Collection[str]) -> dict[str, str]:
    """Return reasons by case id, from lines `"S-SUB-011" = "why"`. Raise ExpectedFailuresError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExpectedFailuresError(f"{path}: {reason_of(error)}") from error
    except RecursionError as error:
        raise ExpectedFailuresError(f"{path}: is nested too deeply") from error
    for case_id, reason in content.items():
        if case_id not in case_ids:
            raise ExpectedFailuresError(
                f'{path}: unknown case id "{case_id:.60}"; {command_line("list")} shows all cases'
            )
        if not isinstance(reason, str) or not reason.strip():
            raise ExpectedFailuresError(
                f"{path}: {case_id}: must be a non-empty text, the reason (got {_shown(reason)})"
            )
    return content


def _shown(value: object) -> str:
    """Return the start of a value; an integer may have more digits than Python writes."""
    try:
        return f"{value!r:.60}"
    except ValueError:
        return "a very long integer"
