"""Fuzz targets one after the other: `python -m tests.fuzz [--seconds N] [TARGET …]`.

Each target gets a process of its own. Inputs that break a property are copied into the corpus,
where `make test` tries them from then on.
"""

import argparse
import re
import shutil
import subprocess
import sys
from hashlib import sha1
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.target import CORPUS, FOLDER, inputs, load, names

_ROOT = FOLDER.parents[1]
_WORK = _ROOT / ".cache" / "fuzz"
_MAX_INPUT_BYTES = 8192
_MAX_KEPT_BYTES = 1024  # Inputs in the corpus are smaller, unless they broke a property.
_MAX_KEPT = 24  # Per target, without inputs that broke a property.
_SLOWEST_S = 10
_MAX_MEMORY_MB = 2048


def main() -> int:
    """Fuzz, or add what was found to the corpus. Return 1 if a property does not hold."""
    options = _options()
    if find_spec("atheris") is None:
        print(
            "atheris is not installed: run `make fuzz`. It has wheels for Linux on x86-64 with"
            f" CPython 3.11 to 3.14; this is Python {sys.version.split()[0]} on {sys.platform}.",
            file=sys.stderr,
        )
        return 2
    broken = 0
    for name in options.targets or names():
        if options.keep:
            _keep(name)
        else:
            broken += _fuzz(name, options.seconds, options.seed)
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(names())}")
    parser.add_argument("--seconds", type=int, default=20, help="per target; default 20")
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0: any")
    parser.add_argument(
        "--keep", action="store_true", help="add the best inputs of earlier runs to the corpus"
    )
    options = parser.parse_args()
    unknown = {*options.targets} - {*names()}
    if unknown:
        parser.error(f"unknown targets: {', '.join(sorted(unknown))}; known: {', '.join(names())}")
    return options


def _fuzz(name: str, seconds: int, seed: int) -> bool:
    """Fuzz one target; return whether its property is broken."""
    work, found = _WORK / name, _WORK / f"{name}-found"
    for folder in (work, found):
        folder.mkdir(parents=True, exist_ok=True)
    for old in found.iterdir():
        old.unlink()
    _write_seeds(name, work)
    words = work.with_suffix(".dict")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in load(name).words or (b"\n",)))
    ended = _engine(
        name,
        f"-max_total_time={seconds}",
        f"-max_len={_MAX_INPUT_BYTES}",
        f"-timeout={_SLOWEST_S}",
        f"-rss_limit_mb={_MAX_MEMORY_MB}",
        f"-artifact_prefix={found}/",
        f"-dict={words}",
        f"-seed={seed}",
        "-print_final_stats=1",
        str(work),
        *([str(CORPUS / name)] if (CORPUS / name).is_dir() else []),
    )
    executions = re.search(r"number_of_executed_units: (\d+)", ended.stderr)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", ended.stderr)
    print(
        f"{name}: {executions[1] if executions else '?'} inputs,"
        f" {covered[-1][0] if covered else '?'} edges",
        flush=True,
    )
    if ended.returncode == 0:
        return False
    print(ended.stdout[-3_000:], ended.stderr[-2_000:], sep="\n")
    for path in found.iterdir():
        kept = CORPUS / name / f"found-{sha1(path.read_bytes()).hexdigest()[:10]}"
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, kept)
        print(f"reproduce the error: python -m pytest -n 0 tests/fuzz -k {kept.name}")
    return True


def _keep(name: str) -> None:
    """Copy a few small inputs of earlier runs, which together reach most code, into the corpus."""
    smallest = _WORK / f"{name}-smallest"
    shutil.rmtree(smallest, ignore_errors=True)
    smallest.mkdir(parents=True)
    _write_seeds(name, _WORK / name)
    _engine(name, "-merge=1", f"-max_len={_MAX_KEPT_BYTES}", str(smallest), str(_WORK / name))
    for path in inputs(name):
        if not path.name.startswith("found-"):
            path.unlink()
    kept = sorted(smallest.iterdir(), key=lambda path: (-path.stat().st_size, path.name))
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    for path in kept[:: max(1, len(kept) // _MAX_KEPT)][:_MAX_KEPT]:
        shutil.copyfile(path, CORPUS / name / path.name[:10])
    print(f"{name}: {len(inputs(name))} inputs")


def _write_seeds(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in load(name).seeds():
        (folder / sha1(seed).hexdigest()).write_bytes(seed)


def _engine(name: str, *switches: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.engine", name, *switches],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _escaped(word: bytes) -> str:
    """Return a word in the syntax of libFuzzer's dictionaries."""
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word
    )


sys.exit(main())
