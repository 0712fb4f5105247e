"""Shows the keys of an audit that watches: a table on a terminal, JSON elsewhere."""

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec
from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.table import Table
from rich.text import Text

from contract_tests.client.driving.watch import Manifest, WatchOptions, WatchView, watch_keys
from contract_tests.client.records import Trait
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.command.audit_output import case_line
from contract_tests.command.progress import minutes
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.errors import UnreachableError
from contract_tests.contract.text import count
from contract_tests.contract.verdicts import Verdict

_REDRAWS_A_SECOND: Final = 4


def run_watch(
    cases: tuple[CasePlan, ...],
    base_url: str,
    given: dict[str, Any],
    declared: frozenset[Trait],
    *,
    is_verbose: bool,
) -> list[AuditedCase]:
    """Show the keys, wait for the clients, and return the results. Raise UnreachableError."""
    terminal = Terminal()
    view = TerminalView(terminal, given["idle_timeout_s"]) if terminal.is_terminal else JsonView()
    options = WatchOptions(
        base_url=base_url,
        manifest=given["manifest"],
        idle_timeout_s=given["idle_timeout_s"],
        view=view,
        declared=declared,
    )
    results = []
    try:
        for case in watch_keys(cases, options):
            has_problem = case.exchanges and case.verdict not in {Verdict.PASS, Verdict.SKIP}
            if is_verbose or has_problem:
                terminal.print([case_line(case)])
            results.append(case)
    except httpx.HTTPError as error:
        raise UnreachableError(f"the mock stopped responding: {error}") from error
    return results


class JsonView(WatchView):
    """Prints the manifest as one line of JSON, for the program that reads it."""

    def show(self, manifest: Manifest) -> None:
        print(msgspec.json.encode(manifest).decode(), flush=True)  # noqa: T201  # the output

    def update(self, requests: Mapping[str, int]) -> None:
        """Show nothing: the reader waits for the results."""

    def close(self) -> None:
        """Do nothing: nothing is shown."""


class TerminalView(WatchView):
    """Prints a table of the keys, and a line that counts the requests."""

    def __init__(self, terminal: Terminal, idle_timeout_s: float | None) -> None:
        self._terminal = terminal
        self._idle_timeout_s = idle_timeout_s
        self._requests: Mapping[str, int] = {}
        self._keys = 0
        self._began_s = time.monotonic()
        self._live = Live(
            self,
            console=terminal.console,
            transient=True,
            refresh_per_second=_REDRAWS_A_SECOND,
            redirect_stderr=False,
            redirect_stdout=False,
        )

    def show(self, manifest: Manifest) -> None:
        self._keys = len(manifest.cases)
        table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        table.add_column("case", no_wrap=True)
        table.add_column("API key", no_wrap=True, style="bold")
        table.add_column("what the mock does", overflow="fold")
        for case in manifest.cases:
            table.add_row(case.id, case.api_key, case.title)
        self._terminal.console.print(table)
        steps = (
            f"Let your client generate one image with each API key at {manifest.base_url}."
            " The results follow when you finish."
        )
        ends = "" if self._idle_timeout_s is None else (
            f", or wait: the audit finishes {self._idle_timeout_s:g} s after the last request"
        )  # fmt: skip
        self._terminal.print([Entry("", steps), Entry("", f"Press Enter to finish{ends}.")])
        if self._terminal.can_redraw:
            self._live.start()

    def update(self, requests: Mapping[str, int]) -> None:
        self._requests = requests

    def close(self) -> None:
        self._live.stop()

    def __rich__(self) -> Text:
        used = sum(map(bool, self._requests.values()))
        parts = (
            f"{used} of {count(self._keys, 'key')} used",
            count(sum(self._requests.values()), "request"),
            minutes(time.monotonic() - self._began_s),
            "press Enter to finish",
        )
        line = Text(" · ".join(parts), "bold")
        line.truncate(self._terminal.console.width - 1, overflow="ellipsis")
        return line
