"""The client programs in `programs/`: what each one does wrong, and how to run it.

The programs resemble each other on purpose, and share no code. Each is a complete script, as a user
would write one, and a bad program differs from a good one in its bug only.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.trials import run_trials
from contract_tests.client.records import Trait
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.mock_process import start_mock
from contract_tests.contract.verdicts import Verdict

PROGRAMS: Final = Path(__file__).parent / "programs"
_SPEED: Final = 10
# What a user would leave at 20 s, 3 s and 300 s, in real seconds of a clock that is ten times as
# fast. The pauses are a little longer, because a process does not start to wait at once.
_PAUSES: Final = {"FIRST_WAIT": "2.1", "POLL_INTERVAL": "0.33", "DEADLINE": "25"}
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY")
_INTERPRETERS: Final = {
    ".py": (sys.executable,), ".mjs": ("node",), ".sh": ("sh",), ".java": ("java", "-Xshare:auto"),
}  # fmt: skip
_LANGUAGES: Final = {".py": "Python", ".mjs": "Node", ".sh": "shell", ".java": "Java"}


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A client program; `needs` are the commands and Python packages that it uses.

    A bad program has one `bug`: the audit finds it in `case` by `rule`. What else is a
    consequence of the bug is in `also`, rules that may be violated as well.
    """

    file: str
    needs: tuple[str, ...] = ()
    arguments: str = "{prompt} {out_dir} {num_images}"
    switches: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    bug: str = ""
    rule: str = ""
    also: tuple[str, ...] = ()
    case: str = ""
    timeout_s: float = 60.0

    @property
    def path(self) -> Path:
        return PROGRAMS / self.file

    @property
    def name(self) -> str:
        return self.path.stem.replace("_", "-").lower()

    @property
    def language(self) -> str:
        """The language, with the library if there is a choice."""
        language = _LANGUAGES[self.path.suffix]
        library = self.path.stem.partition("_")[0]
        return f"{language} {library}" if library in self.needs else language

    @property
    def receives_callbacks(self) -> bool:
        return "{callback_port}" in self.arguments

    @property
    def command(self) -> str:
        """The command line for `--exec`."""
        settings = [f"{name}={value}" for name, value in (_PAUSES | self.settings).items()]
        without = [word for name in _PROXIES for word in ("-u", name)]
        words = ["env", *without, *settings, *_INTERPRETERS[self.path.suffix], str(self.path)]
        return f"{shlex.join(words)} {self.arguments}"

    def missing(self) -> str:
        """Return what the program needs and this machine lacks; empty if nothing."""
        names = (_INTERPRETERS[self.path.suffix][0], *self.needs)
        lacking = [name for name in names if not _is_installed(name)]
        return f"not installed: {', '.join(lacking)}" if lacking else ""


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    good: tuple[Program, ...]
    bad: tuple[Program, ...] = ()


@cache
def _manifest() -> _Manifest:
    return msgspec.toml.decode((PROGRAMS / "manifest.toml").read_bytes(), type=_Manifest)


def good_programs() -> tuple[Program, ...]:
    return _manifest().good


def bad_programs() -> tuple[Program, ...]:
    return _manifest().bad


def cases_for(program: Program, ids: Sequence[str] = ()) -> list[CasePlan]:
    """Return the cases for a kind of client; with `ids`, these cases only."""
    return [
        CasePlan(each, frozenset(each.judged))
        for each in SITUATIONS
        if each.needs_receiver == program.receives_callbacks and (not ids or each.id in ids)
    ]


@contextmanager
def fast_mock() -> Iterator[str]:
    """Start a mock whose clock is fast, and give its address."""
    with start_mock(1, "--speed", str(_SPEED), "--callback-timeout", "3") as url:
        yield url


def audit(program: Program, plans: Sequence[CasePlan], base_url: str) -> list[AuditedCase]:
    """Run a program in these cases."""
    trials = run_trials(
        plans,
        base_url,
        ClientCommand(program.command),
        parallel=8,
        timeout_s=program.timeout_s,
        declared=frozenset(map(Trait, program.switches)),
    )
    return list(trials)


def violations(cases: Sequence[AuditedCase]) -> dict[str, list[str]]:
    """Return the violated rules with the cases and what was seen there."""
    found: dict[str, list[str]] = {}
    for case in cases:
        if case.verdict is Verdict.ERROR:
            raise AssertionError(f"{case.id}: {case.reason}")
        for each in case.findings:
            if each.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.ERROR}:
                found.setdefault(each.rule, []).append(f"{case.id} {each.verdict}: {each.seen}")
    return found


def _is_installed(name: str) -> bool:
    return bool(shutil.which(name) or find_spec(name) or os.path.exists(name))  # noqa: PTH110  # sys.executable
