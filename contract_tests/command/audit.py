"""`contract-tests audit`: judge a client."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import click
import httpx

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.trials import run_trials
from contract_tests.client.driving.watch import WatchOptions, watch_keys
from contract_tests.client.reports.files import write_audit
from contract_tests.client.reports.report import AuditedCase, AuditReport
from contract_tests.client.reports.summary import summarize
from contract_tests.client.rules import BY_ID
from contract_tests.client.selection import SUITES, CasePlan, closest_id, plan_cases
from contract_tests.command.audit_output import case_line, summary_lines
from contract_tests.command.directories import DIRECTORY, make_directory
from contract_tests.command.switches import RenamedOption, with_options
from contract_tests.contract.errors import UnreachableError
from contract_tests.contract.mock_process import draw_seed, start_mock
from contract_tests.contract.program import command_line
from contract_tests.contract.register import load_register
from contract_tests.contract.run_facts import Stopwatch

# Clients usually wait 300 s for a task. A case must end later than that.
_TIMEOUT_S: Final = {"quick": 120.0, "full": 360.0}
_ONE_PROMPT: Final = "not tested by any case: it cannot happen to a client with one prompt"


_OPTIONS: Final = (
    click.option("--exec", "command", metavar="COMMAND",
                 help="Command that runs the client, such as 'python my_client.py {prompt}'."
                 " Other placeholders: {base_url} {api_key} {out_dir} {image_url}, and"
                 " {callback_port} for a client that receives callbacks."),
    click.option("--watch", is_flag=True,
                 help="Print one API key per case and judge the clients that use them."),
    click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT",
                 help="Port of the mock; 0 selects a free port.  [default: 0]"),
    click.option("--manifest", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="With --watch: also write the keys to this file."),
    click.option("--idle-timeout", "--quiet", "idle_timeout_s", cls=RenamedOption,
                 type=click.FloatRange(0.1), metavar="SECONDS",
                 help="With --watch: finish after this many seconds without a request."),
    click.option("--select", multiple=True, metavar="GLOB",
                 help="Run cases with matching ids only, or judge matching rules only, such as"
                 " 'A-LIM-*' or C-RES-005. Repeatable."),
    click.option("--suite", "--profile", "suite", cls=RenamedOption, type=click.Choice(SUITES),
                 default="full", show_default=True,
                 help="Set of cases; quick omits those in which a client has to give up."),
    click.option("--parallel", type=click.IntRange(1, 64), default=8, show_default=True,
                 metavar="N", help="Cases that run in parallel."),
    click.option("--timeout", "timeout_s", type=click.FloatRange(0.1), metavar="SECONDS",
                 help="Time limit per case, in seconds.  [default: 360; 120 with --suite quick]"),
    click.option("--strict", is_flag=True, help="Treat warnings as failures."),
    click.option("--report", type=DIRECTORY, metavar="DIR",
                 help="Write reports into this directory."),
    click.option("--seed", type=click.IntRange(0), metavar="N",
                 help="Random seed. The same seed reproduces a run.  [default: a new one]"),
)  # fmt: skip


@click.command("audit")
@with_options(_OPTIONS)
def audit_command(
    command: str | None,
    select: tuple[str, ...],
    suite: str,
    report: Path | None,
    *,
    watch: bool,
    strict: bool,
    seed: int | None,
    **given: Any,
) -> int:
    """Judge a client by the requests it makes in situations that a mock stages.

    Exit status: 0 no failures, 1 at least one failure, 2 invalid usage, 3 something could not be
    tested.
    """
    if (command is None) != watch:
        raise click.UsageError("one of --exec COMMAND and --watch is required, not both")
    for switch, name in (("--manifest", "manifest"), ("--idle-timeout", "idle_timeout_s")):
        if given[name] is not None and not watch:
            raise click.UsageError(f"{switch} requires --watch")
    client = None if command is None else ClientCommand(command)
    cases = _selected(select, suite)
    seed = draw_seed() if seed is None else seed
    if report is not None:
        make_directory(report)
    if given["manifest"] is not None:
        make_directory(given["manifest"].parent)
    if given["timeout_s"] is None:
        given["timeout_s"] = _TIMEOUT_S[suite]
    stopwatch = Stopwatch()
    with ExitStack() as stack:
        base_url = stack.enter_context(start_mock(seed, port=given["port"], is_apart=watch))
        results = stack.enter_context(closing(_results(client, cases, base_url, given)))
        whole = summarize(
            [_printed(each) for each in results],
            load_register(),
            client=command or "clients that used the keys",
            base_url=base_url,
            suite="selected" if select else suite,
            strict=strict,
            seed=seed,
            untested="not tested by any case of this audit" if watch else _ONE_PROMPT,
            run=stopwatch.facts(),
            selection=[f"--select {glob}" for glob in select],
            selected_rules=frozenset().union(*(each.rules for each in cases)) if select else None,
        )
    return _finished(whole, report)


def _selected(select: Sequence[str], suite: str) -> tuple[CasePlan, ...]:
    """Return the selected cases. Raise UsageError for a pattern that matches nothing."""
    for glob in select:
        if plan_cases([glob], suite):
            continue
        if glob in BY_ID:
            raise click.UsageError(f"--select {glob}: {_ONE_PROMPT}")
        near = closest_id(glob)
        hint = f'did you mean "{near}"? ' if near else ""
        raise click.UsageError(
            f"--select {glob}: matches no case and no rule;"
            f" {hint}{command_line('list')} --audit shows all of them"
        )
    return plan_cases(select, suite)


def _results(
    client: ClientCommand | None,
    cases: tuple[CasePlan, ...],
    base_url: str,
    given: dict[str, Any],
) -> Generator[AuditedCase, None, None]:
    if client is None:
        watch = WatchOptions(
            base_url=base_url,
            manifest=given["manifest"],
            idle_timeout_s=given["idle_timeout_s"],
            say=click.echo,
        )
        try:
            yield from watch_keys(cases, watch)
        except httpx.HTTPError as error:
            raise UnreachableError(f"the mock stopped responding: {error}") from error
    else:
        yield from run_trials(
            cases,
            base_url,
            client,
            parallel=given["parallel"],
            timeout_s=given["timeout_s"],
        )


def _printed(case: AuditedCase) -> AuditedCase:
    click.echo(case_line(case))
    return case


def _finished(report: AuditReport, directory: Path | None) -> int:
    if directory is not None:
        write_audit(report, directory)
    for line in summary_lines(report):
        click.echo(line)
    return report.summary.exit_status
