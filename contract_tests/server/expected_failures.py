"""Failures that are known: a TOML file of case ids, each with the reason why it may fail."""

import tomllib
from collections.abc import Collection
from pathlib import Path

from contract_tests.contract.errors import ExpectedFailuresError


def load_expected_failures(path: Path, case_ids: Collection[str]) -> dict[str, str]:
    """Read `"S-SUB-011" = "why it fails"` a line. Raises ExpectedFailuresError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExpectedFailuresError(f"{path}: {error}") from error
    for case_id, reason in content.items():
        if case_id not in case_ids:
            raise ExpectedFailuresError(f"{path}: no case has the id {case_id!r}")
        if not isinstance(reason, str) or not reason.strip():
            raise ExpectedFailuresError(
                f"{path}: {case_id} needs a reason, a text that is not empty"
            )
    return content
