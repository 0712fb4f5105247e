"""Prints the lowest versions that pyproject.toml allows: `python -m tests.packaging.lowest`.

They are constraints for pip, of what the project names itself.  pip chooses all other versions.
"""

import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
_NOT_OF_USERS = frozenset({"all", "check", "docs", "test"})  # `all` repeats the other extras.


def user_requirements() -> Iterator[Requirement]:
    """Yield what the project and its extras need, without the tools of its developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [needed for name, needed in extras.items() if name not in _NOT_OF_USERS]
    return map(Requirement, chain(project["dependencies"], *wanted))


def lowest_version(requirement: Requirement) -> str:
    """Return the version after `>=`."""
    (lowest,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return lowest


if __name__ == "__main__":
    for each in user_requirements():
        sys.stdout.write(f"{each.name}=={lowest_version(each)}\n")
