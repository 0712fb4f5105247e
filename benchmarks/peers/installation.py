"""Install the peers with npm, in the versions that `package.json` pins."""

import json
import shutil
import subprocess
from pathlib import Path

import click

from benchmarks.errors import BenchError

_HERE = Path(__file__).parent
_FOLDER = _HERE.parents[1] / ".cache" / "peers"
_PINNED: dict[str, str] = json.loads((_HERE / "package.json").read_text("utf-8"))["dependencies"]


def installed_program(package: str, program: str) -> tuple[str, str]:
    """Return the path of the program of a package, and the version of the package.

    Install all packages first if this one is missing or has another version. Raise BenchError if
    that fails.
    """
    version = _PINNED[package]
    if _installed_version(package) != version:
        _install()
    return str(_FOLDER / "node_modules" / ".bin" / program), version


def _installed_version(package: str) -> str | None:
    manifest = _FOLDER / "node_modules" / package / "package.json"
    if not manifest.exists():
        return None
    version: str = json.loads(manifest.read_text("utf-8"))["version"]
    return version


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise BenchError("npm is not installed (Debian: apt-get install nodejs npm)")
    click.echo(f"installing the peers into {_FOLDER} …", err=True)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", ".npmrc"):
        shutil.copy(_HERE / name, _FOLDER)
    ended = subprocess.run(
        [npm, "install", "--silent"], cwd=_FOLDER, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise BenchError(f"npm cannot install the peers: {(ended.stderr or ended.stdout).strip()}")
