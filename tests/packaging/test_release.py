"""`make release-check` finds what would make a release wrong."""

import tomllib
from email.message import Message
from pathlib import Path

import pytest

from mock_server.version import __version__
from tests.packaging.release import changelog_problems, metadata_problems, tag_problems

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OF_DEVELOPERS = {"test", "check", "docs"}
CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n## 1.2.0 \u2013 2026-02-01\n\n## 1.1.0 \u2013 2026-01-01\n"
)


def metadata() -> Message:
    """Return metadata like those of the wheel."""
    built = Message()
    built["License-Expression"] = PROJECT["license"]
    for label, url in PROJECT["urls"].items():
        built["Project-URL"] = f"{label}, {url}"
    for classifier in PROJECT["classifiers"]:
        built["Classifier"] = classifier
    for extra in PROJECT["optional-dependencies"]:
        built["Provides-Extra"] = extra
    return built


def test_this_version_has_its_section_in_the_changelog() -> None:
    assert list(changelog_problems((ROOT / "CHANGELOG.md").read_text("utf-8"), __version__)) == []


def test_metadata_of_this_project_has_no_problem() -> None:
    assert list(metadata_problems(metadata())) == []


@pytest.mark.parametrize(
    "field", ["License-Expression", "Project-URL", "Classifier", "Provides-Extra"]
)
def test_a_missing_field_is_a_problem(field: str) -> None:
    built = metadata()
    del built[field]

    assert any(problem.startswith(field) for problem in metadata_problems(built))


@pytest.mark.parametrize(
    ("changelog", "version"),
    [
        (CHANGELOG, "1.3.0"),
        (CHANGELOG.replace("2026-02-01", "2025-02-01"), "1.2.0"),
        ("# Changelog\n\n## Unreleased\n", "1.2.0"),
    ],
    ids=["no section", "dates out of order", "no release"],
)
def test_a_changelog_that_does_not_fit_is_a_problem(changelog: str, version: str) -> None:
    assert list(changelog_problems(changelog, version))


def test_a_tag_must_be_the_version_and_leave_nothing_unreleased() -> None:
    unreleased = CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n### Fixed\n- A defect.\n")

    assert list(tag_problems("v1.2.0", CHANGELOG, "1.2.0")) == []
    assert list(tag_problems("v1.1.0", CHANGELOG, "1.2.0")) == ["tag: must be v1.2.0 (got v1.1.0)"]
    assert list(tag_problems("v1.2.0", unreleased, "1.2.0"))


def test_the_extra_all_has_every_extra_of_users() -> None:
    extras = set(PROJECT["optional-dependencies"]) - OF_DEVELOPERS - {"all"}
    (everything,) = PROJECT["optional-dependencies"]["all"]

    assert set(everything.partition("[")[2].rstrip("]").split(",")) == extras


def test_the_plain_installation_has_no_test_framework() -> None:
    required = " ".join(PROJECT["dependencies"])

    assert "pytest" not in required
    assert "hypothesis" not in required
