"""Versions, hashes and licences of what an installation adds."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.licences import PAGE, is_allowed, licences
from tests.packaging.lowest import ROOT, lowest_version, user_requirements

LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("build", "image")}
# The first versions without a known advisory, as of November 2026.
FIXED = {
    "aiohttp": "3.14.3",  # CVE-2026-69244
    "anyio": "4.14.2",  # CVE-2026-63374, CVE-2026-64847
    "certifi": "2024.7.4",  # CVE-2024-39689
    "click": "8.3.3",  # CVE-2026-7246
    "httpcore": "1.0.9",  # It requires h11 0.16: CVE-2025-43859
    "idna": "3.15",  # CVE-2026-45409
    "jinja2": "3.1.6",  # CVE-2025-27516
    "pillow": "12.3",  # PYSEC-2026-2253 to 2257
    "pytest": "9.0.3",  # CVE-2025-71176
    "requests": "2.33",  # CVE-2026-25645
    "starlette": "1.3.1",  # GHSA-82w8-qh3p-5jfq, GHSA-jp82-jpqv-5vv3
}


def pinned(path: Path) -> dict[str, str]:
    """Return the versions in a file of constraints or requirements, by name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", path.read_text("utf-8"), re.MULTILINE)
    return {canonicalize_name(name): number for name, number in found}


CONSTRAINTS = pinned(ROOT / "constraints.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_the_versions_of_the_constraints(lock: str) -> None:
    locked = pinned(LOCKS[lock])

    assert locked
    assert {name: CONSTRAINTS.get(name, number) for name, number in locked.items()} == locked


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_of_a_lock_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=\S)", LOCKS[lock].read_text("utf-8"), flags=re.MULTILINE)

    packages = [each for each in entries if each and not each.startswith("#")]
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", each) for each in packages)


def test_image_lock_has_what_the_project_needs() -> None:
    needed = {canonicalize_name(each.name) for each in _image_requirements()}

    assert needed <= pinned(LOCKS["image"]).keys()


def _image_requirements() -> list[Requirement]:
    extras = {"hypothesis", "pytest", "testcontainers", "trustme"}
    return [
        each
        for each in user_requirements()
        if each.name not in extras and not each.name.startswith("manimgx")
    ]


@pytest.mark.parametrize("name", FIXED)
def test_lowest_version_has_no_known_advisory(name: str) -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    allowed = re.findall(rf'^    "({name}>=[^"]+)",', text, re.MULTILINE)

    assert allowed
    for each in allowed:
        assert Version(lowest_version(Requirement(each))) >= Version(FIXED[name])


def test_constraints_are_within_the_bounds() -> None:
    for each in user_requirements():
        assert each.specifier.contains(CONSTRAINTS[canonicalize_name(each.name)]), each


def test_installed_package_with_an_unknown_licence_is_found() -> None:
    assert not is_allowed("GPL-3.0-only")
    assert not is_allowed("MIT AND unknown")
    assert is_allowed("GPL-3.0-only OR MIT")


def test_every_dependency_has_an_allowed_licence() -> None:
    found = licences()

    assert {"starlette", "pillow"} <= found.keys()
    assert {name: text for name, text in found.items() if not is_allowed(text)} == {}


def test_every_dependency_is_on_the_page_of_licences() -> None:
    page = PAGE.read_text("utf-8")

    assert [name for name, text in licences().items() if f"| {name} | {text} |" not in page] == []
