"""Runs a command or pytest in a process in which hypothesis cannot be imported."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_HIDE_HYPOTHESIS = """
import runpy, sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name == "hypothesis" else find(name, *rest)
)
"""


def run_without_hypothesis(
    module: str, arguments: Sequence[str], directory: Path
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m module arguments` as if the extra `contract` were not installed."""
    program = _HIDE_HYPOTHESIS + (
        f"sys.argv[1:] = {list(arguments)!r}\n"
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=directory, capture_output=True, text=True, check=False
    )
