"""`contract-tests audit --explore`: run a client in generated scenarios until the time is over."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import click
import httpx
import msgspec
from click.core import ParameterSource

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.scenario_runs import CommandRunner
from contract_tests.client.exploring.exploration import MAX_FAILURES, Explorer
from contract_tests.client.exploring.generation import Scope, generate
from contract_tests.client.exploring.invariants import INVARIANTS, Invariant
from contract_tests.client.records import Trait
from contract_tests.client.reports.explored import explored_cases
from contract_tests.client.reports.files import write_audit
from contract_tests.client.reports.report import AuditReport, ExplorationFacts
from contract_tests.client.reports.summary import summarize
from contract_tests.command.audit_output import summary_entries
from contract_tests.command.directories import make_directory
from contract_tests.command.explore_display import ExploreDisplay
from contract_tests.command.explore_output import exploration_entries, print_failures
from contract_tests.command.interruption import INTERRUPTED
from contract_tests.command.progress import minutes
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.errors import UnreachableError
from contract_tests.contract.mock_process import used_mock
from contract_tests.contract.register import load_register
from contract_tests.contract.run_facts import Stopwatch
from contract_tests.contract.text import count

_BUDGET_S: Final = 600.0
_TIMEOUT_S: Final = 360.0  # Clients usually wait 300 s for a task.


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    """The switches of an exploration; `command` is the client as it was given."""

    command: str
    base_url: str
    seed: int
    budget_s: float
    timeout_s: float | None
    parallel: int
    strict: bool
    select: Sequence[str]
    invariants: Sequence[Invariant]
    has_files: bool


def explore_client(
    client: ClientCommand,
    command: str,
    select: Sequence[str],
    directory: Path | None,
    *,
    strict: bool,
    seed: int | None,
    given: dict[str, Any],
) -> int:
    """Explore a client, print and write the report, and return the exit status."""
    source = click.get_current_context().get_parameter_source("suite")
    if source is ParameterSource.COMMANDLINE:
        raise click.UsageError("--suite selects cases, and --explore has none; use --budget")
    declared = frozenset(trait for trait in Trait if given[trait.name.lower()])
    invariants = judged_invariants(select, declared)
    if directory is not None:
        make_directory(directory)
    with used_mock(given["base_url"], seed, given["port"] or 0) as mock:
        options = _Options(
            command=command,
            base_url=mock.base_url,
            seed=mock.seed,
            budget_s=given["budget_s"] or _BUDGET_S,
            timeout_s=given["timeout_s"],
            parallel=given["parallel"],
            strict=strict,
            select=select,
            invariants=invariants,
            has_files=client.takes_out_dir and Trait.NO_DOWNLOAD not in declared,
        )
        report, is_interrupted = _run(client, options)
    if directory is not None:
        write_audit(report, directory)
    assert report.exploration is not None, "_run sets it"
    Terminal().print(exploration_entries(report.exploration))
    Terminal().print(summary_entries(report, directory))
    return INTERRUPTED if is_interrupted else report.summary.exit_status


def judged_invariants(
    select: Sequence[str], declared: frozenset[Trait] = frozenset()
) -> tuple[Invariant, ...]:
    """Return the invariants that match, or all, without those that a declaration excludes.

    Raise UsageError if a glob matches none, or if none is left.
    """
    ids = [each.id for each in INVARIANTS]
    for glob in select:
        if not any(fnmatchcase(each, glob) for each in ids):
            raise click.UsageError(
                f"--select {glob}: matches no invariant of --explore; they are {', '.join(ids)}"
            )
    judged = tuple(
        each
        for each in INVARIANTS
        if not each.not_for & declared
        and (not select or any(fnmatchcase(each.id, glob) for glob in select))
    )
    if not judged:
        switches = ", ".join(sorted(declared))
        raise click.UsageError(f"--select: {switches} leaves no selected invariant to judge")
    return judged


def _run(client: ClientCommand, options: _Options) -> tuple[AuditReport, bool]:
    """Explore a client and print each failure; return the report, and whether it was interrupted.

    Raise UnreachableError if the mock stops responding, and ClientNotReachingMock if the client
    does not reach it.
    """
    terminal, stopwatch = Terminal(), Stopwatch()
    terminal.print([Entry("", _opening(options))])
    display = ExploreDisplay(terminal, options.budget_s)
    scope = Scope(has_callbacks=client.takes_callbacks, has_real_time=True, is_patient=False)
    judged = [each.id for each in options.invariants]
    is_interrupted = False
    with CommandRunner(
        options.base_url,
        client,
        parallel=options.parallel,
        timeout_s=options.timeout_s or _TIMEOUT_S,
        budget_s=options.budget_s,
        has_files=options.has_files,
        on_start=display.start,
        on_end=display.end,
    ) as runner:
        explorer = Explorer(runner, judged)
        shown = 0
        try:
            with display.shown(explorer):
                scenarios = generate(options.seed, scope)
                for _ in explorer.explore(scenarios, on_result=display.update):
                    print_failures(terminal, explorer, shown, options.command)
                    shown = len(explorer.failures)
        except KeyboardInterrupt:
            is_interrupted = True
            runner.stop()
            print_failures(terminal, explorer, shown, options.command)
            tried = count(explorer.tried, "scenario")
            terminal.print([Entry("interrupted: ", f"{tried} ended", "bold red")])
        except httpx.HTTPError as error:
            raise UnreachableError(f"the mock stopped responding: {error}") from error
    report = summarize(
        list(explored_cases(explorer, judged, options.command)),
        load_register(),
        client=options.command,
        base_url=options.base_url,
        suite="explore",
        strict=options.strict,
        seed=options.seed,
        run=stopwatch.facts(),
        selection=[f"--select {glob}" for glob in options.select],
        requirements=options.invariants,
    )
    facts = ExplorationFacts(
        scenarios=explorer.tried,
        budget_s=options.budget_s,
        repeats=dict(explorer.repeats),
        coverage=explorer.coverage.facts(scope),
    )
    return msgspec.structs.replace(report, exploration=facts), is_interrupted


def _opening(options: _Options) -> str:
    return (
        f"exploring the client on {options.base_url} for {minutes(options.budget_s)} minutes, or"
        f" until {MAX_FAILURES} failures; the seed is {options.seed}"
    )
