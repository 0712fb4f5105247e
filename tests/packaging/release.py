"""Checks the distributions before a release: `python -m tests.packaging.release DIRECTORY [TAG]`.

Exits with 1 and one line for each problem. With a tag, such as v0.2.0, it also checks that this is
the version and that no change is left under Unreleased.
"""

import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[2]
_RELEASE = re.compile(r"^## (\d+\.\d+\.\d+) \u2013 (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_IN_THE_WHEEL = (
    "apixo_testkit/py.typed",
    "client_reference/py.typed",
    "contract_tests/py.typed",
    "apixo_testkit/_fixtures/contract/clauses.toml",
    "apixo_testkit/_fixtures/contract/fail_codes.toml",
    "apixo_testkit/_fixtures/models/gpt-image-1.toml",
    "mock_server/py.typed",
)


def problems(distributions: Path, tag: str = "") -> Iterator[str]:
    """Yield what is wrong with the wheel and the source archive in this directory."""
    for kind in ("*.whl", "*.tar.gz"):
        found = len(list(distributions.glob(kind)))
        if found != 1:
            yield f"{distributions}: must have one {kind} (got {found})"
            return
    wheel = zipfile.ZipFile(next(distributions.glob("*.whl")))
    names = wheel.namelist()
    metadata = _metadata(wheel)
    version = metadata["Version"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    yield from changelog_problems(changelog, version)
    if tag:
        yield from tag_problems(tag, changelog, version)
    yield from metadata_problems(metadata)
    yield from (f"the wheel has no {name}" for name in _IN_THE_WHEEL if name not in names)
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        yield "the wheel has no LICENSE"
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("LICENSE", "CHANGELOG.md", "pyproject.toml", "constraints.txt"):
        if name not in inside:
            yield f"the source archive has no {name}"


def changelog_problems(changelog: str, version: str) -> Iterator[str]:
    """Yield what is wrong with the changelog for a release of this version."""
    releases = _RELEASE.findall(changelog)
    latest = releases[0][0] if releases else None
    if latest != version:
        yield f"CHANGELOG.md: the first release must be {version} (got {latest})"
    dates = [date for _, date in releases]
    if dates != sorted(dates, reverse=True):
        yield "CHANGELOG.md: releases must be in order, the newest first"


def tag_problems(tag: str, changelog: str, version: str) -> Iterator[str]:
    """Yield why the commit with this tag is not the release of this version."""
    if tag != f"v{version}":
        yield f"tag: must be v{version} (got {tag})"
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0]
    if unreleased.strip():
        yield f"CHANGELOG.md: move the changes under Unreleased to {version}"


def metadata_problems(metadata: Message) -> Iterator[str]:
    """Yield what is missing or wrong in the metadata of the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    if metadata["License-Expression"] != "Apache-2.0":
        yield f"License-Expression: must be Apache-2.0 (got {metadata['License-Expression']})"
    urls = dict(str(each).split(", ", 1) for each in metadata.get_all("Project-URL", []))
    repository = urls.get("Repository", "")
    for label in ("Repository", "Changelog", "Issues"):
        if not urls.get(label, "").startswith("https://"):
            yield f"Project-URL: has no {label}"
        elif not urls[label].startswith(repository):
            yield f"Project-URL {label}: must begin with {repository} (got {urls[label]})"
    classifiers = {str(each) for each in metadata.get_all("Classifier", [])}
    for minor in range(11, 15):
        name = f"Programming Language :: Python :: 3.{minor}"
        if name not in classifiers:
            yield f"Classifier: has no {name!r}"
    extras = {str(each) for each in metadata.get_all("Provides-Extra", [])}
    if extras != set(project["optional-dependencies"]):
        yield f"Provides-Extra: differs from pyproject.toml (got {', '.join(sorted(extras))})"


def _metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def main(directory: str, tag: str = "") -> int:
    found = list(problems(Path(directory), tag))
    for problem in found:
        sys.stderr.write(f"release-check: {problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
