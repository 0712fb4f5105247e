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
from contract_tests.command.run import made
from contract_tests.command.switches import has_switches
from contract_tests.contract.errors import UnreachableError
from contract_tests.contract.mock_process import drawn_seed, own_mock
from contract_tests.contract.register import load_register

DIRECTORY: Final = click.Path(path_type=Path, file_okay=False)
_TIMEOUT_S: Final = {"quick": 120.0, "full": 360.0}  # longer than a client waits as a rule: 300 s
_ONE_PROMPT: Final = "no case stages it: a client that is given one prompt does not come to it"


_OPTIONS: Final = (
    click.option("--exec", "command", metavar="COMMAND",
                 help="The client, as: 'python my_client.py {prompt}'. Also {base_url} {api_key}"
                 " {out_dir} {image_url}, and {callback_port} for its own receiver."),
    click.option("--watch", is_flag=True,
                 help="Hand out one key a case, and judge whoever uses them."),
    click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT",
                 help="Where the mock listens; 0 takes a free one."),
    click.option("--manifest", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="With --watch: write the keys there, too."),
    click.option("--quiet", "quiet_s", type=click.FloatRange(0.1), metavar="SECONDS",
                 help="With --watch: judge when nothing was asked for so long."),
    click.option("--select", multiple=True, metavar="GLOB",
                 help="Cases or rules with such an id, as A-LIM-* or C-RES-005; can be repeated."),
    click.option("--profile", type=click.Choice(SUITES), default="full", show_default=True,
                 help="quick leaves out what waits for a client to give up."),
    click.option("--parallel", type=click.IntRange(1, 64), default=8, show_default=True,
                 metavar="N", help="Cases side by side."),
    click.option("--timeout", "timeout_s", type=click.FloatRange(0.1), metavar="SECONDS",
                 help="Bound of one case.  [default: 360, quick 120]"),
    click.option("--strict", is_flag=True, help="A WARN fails, too."),
    click.option("--report", type=DIRECTORY, metavar="DIR", help="Write reports into this folder."),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Repeat a run."),
)  # fmt: skip


@click.command("audit")
@has_switches(_OPTIONS)
def audit_command(
    command: str | None,
    select: tuple[str, ...],
    profile: str,
    report: Path | None,
    *,
    watch: bool,
    strict: bool,
    seed: int | None,
    **given: Any,
) -> int:
    """Judge a client by what it does in situations that a mock stages.

    The mock's journal is the only witness. Exit status: 0 all is kept, 1 something is broken, 2
    wrong usage, 3 something could not be judged.
    """
    if (command is None) != watch:
        raise click.UsageError("give either --exec COMMAND or --watch")
    for option in ("manifest", "quiet_s"):
        if given[option] is not None and not watch:
            raise click.UsageError(f"--{option.removesuffix('_s')} goes with --watch")
    client = None if command is None else ClientCommand(command)
    cases = _chosen(select, profile)
    seed = drawn_seed() if seed is None else seed
    if report is not None:
        made(report)
    if given["manifest"] is not None:
        made(given["manifest"].parent)
    if given["timeout_s"] is None:
        given["timeout_s"] = _TIMEOUT_S[profile]
    with ExitStack() as stack:
        base_url = stack.enter_context(own_mock(seed, port=given["port"], is_apart=watch))
        results = stack.enter_context(closing(_results(client, cases, base_url, given)))
        whole = summarize(
            [_told(each) for each in results],
            load_register(),
            client=command or "whoever used the keys",
            base_url=base_url,
            suite="selected" if select else profile,
            strict=strict,
            seed=seed,
            untested="no case that was tried is for it" if watch else _ONE_PROMPT,
        )
    return _finished(whole, report)


def _chosen(select: Sequence[str], profile: str) -> tuple[CasePlan, ...]:
    """Raise UsageError for a glob that chooses nothing: most likely a slip of the pen."""
    for glob in select:
        if plan_cases([glob], profile):
            continue
        if glob in BY_ID:
            raise click.UsageError(f"--select {glob}: {_ONE_PROMPT}")
        near = closest_id(glob)
        hint = f"; did you mean {near}?" if near else "."
        raise click.UsageError(
            f"--select {glob}: no case and no rule has such an id{hint}"
            " contract-tests list --audit shows them"
        )
    return plan_cases(select, profile)


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
            idle_timeout_s=given["quiet_s"],
            say=click.echo,
        )
        try:
            yield from watch_keys(cases, watch)
        except httpx.HTTPError as error:
            raise UnreachableError(f"the mock does not answer any more: {error}") from error
    else:
        yield from run_trials(
            cases,
            base_url,
            client,
            parallel=given["parallel"],
            timeout_s=given["timeout_s"],
        )


def _told(case: AuditedCase) -> AuditedCase:
    click.echo(case_line(case))
    return case


def _finished(report: AuditReport, directory: Path | None) -> int:
    if directory is not None:
        write_audit(report, directory)
    for line in summary_lines(report):
        click.echo(line)
    return report.summary.exit_status
