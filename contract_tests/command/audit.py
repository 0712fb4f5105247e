"""`contract-tests audit`: judge a client."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.records import Trait
from contract_tests.client.reports.cases import unjudged_case
from contract_tests.client.reports.files import write_audit
from contract_tests.client.reports.summary import summarize
from contract_tests.client.rule import Rule
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.client.selection import SUITES, CasePlan, closest_id, plan_cases
from contract_tests.command.audit_cases import AuditEnd, run_client
from contract_tests.command.audit_explore import explore_client
from contract_tests.command.audit_output import summary_entries
from contract_tests.command.audit_watch import run_watch
from contract_tests.command.directories import DIRECTORY, make_directory
from contract_tests.command.durations import Duration
from contract_tests.command.interruption import INTERRUPTED
from contract_tests.command.run_output import report_path
from contract_tests.command.switches import RenamedOption, verbose_option, with_options
from contract_tests.command.terminal import Terminal
from contract_tests.contract.errors import OutputError
from contract_tests.contract.mock_process import used_mock
from contract_tests.contract.program import command_line
from contract_tests.contract.register import load_register
from contract_tests.contract.run_facts import Stopwatch
from contract_tests.contract.verdicts import Verdict

# Clients usually wait 300 s for a task. A case must end later than that.
_TIMEOUT_S: Final = {"quick": 120.0, "full": 360.0}
_ONE_PROMPT: Final = "not tested by any case: it cannot happen to a client with one prompt"


_OPTIONS: Final = (
    click.option("--exec", "command", metavar="COMMAND",
                 help="Command that runs the client, such as 'python my_client.py {prompt}'."
                 " Other placeholders: {base_url} {api_key} {num_images} {out_dir} {image_url}, and"
                 " {callback_port} for a client that receives callbacks."
                 " {{name}} is the literal text {name}."),
    click.option("--watch", is_flag=True,
                 help="Show one API key per case, as JSON unless on a terminal, and judge the"
                 " clients that use them."),
    click.option("--base-url", metavar="URL",
                 help="URL of a running mock to use.  [default: one that this command starts]"),
    click.option("--port", type=click.IntRange(0, 65535), metavar="PORT",
                 help="Port of the mock; 0 selects a free port.  [default: 0]"),
    click.option("--manifest", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                 help="With --watch: also write the keys to this file."),
    click.option("--idle-timeout", "--quiet", "idle_timeout_s", cls=RenamedOption,
                 type=click.FloatRange(0.1), metavar="SECONDS",
                 help="With --watch: finish after this many seconds without a request."),
    click.option("--explore", is_flag=True,
                 help="Run the client in generated scenarios instead of the cases, and judge"
                 " invariants, such as: the client never pays twice."),
    click.option("--budget", "budget_s", type=Duration(), metavar="DURATION",
                 help="With --explore: total time, such as 90s or 10m.  [default: 10m]"),
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
    click.option("--no-download", is_flag=True,
                 help="Declare that the client does not download results, but prints or stores"
                 " their addresses."),
    click.option("--no-retry", is_flag=True,
                 help="Declare that the client does not retry requests, but reports errors."),
    click.option("--agent", is_flag=True,
                 help="Declare that the client is an agent: it may reword the prompt, and its exit"
                 " status does not say whether it got a picture."),
    click.option("--strict", is_flag=True, help="Treat warnings as failures."),
    click.option("--report", type=DIRECTORY, metavar="DIR",
                 help="Write reports into this directory."),
    click.option("--seed", type=click.IntRange(0), metavar="N",
                 help="Random seed. The same seed reproduces a run.  [default: a new one]"),
    verbose_option,
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
    explore: bool,
    strict: bool,
    seed: int | None,
    verbose: bool,
    **given: Any,
) -> int:
    """Judge a client by the requests it makes in situations that a mock stages.

    Exit status: 0 no failures, 1 at least one failure, 2 invalid usage, 3 something could not be
    tested or the client does not reach the mock, 4 a report or the output cannot be written, 130
    interrupted.
    """
    _reject_conflicts(command, given | {"seed": seed}, watch=watch, explore=explore)
    client = None if command is None else ClientCommand(command)
    if explore and command is not None and client is not None:
        return explore_client(
            client, command, select, report, strict=strict, seed=seed, given=given
        )
    cases = _selected(select, suite)
    if report is not None:
        make_directory(report)
    if given["manifest"] is not None:
        make_directory(given["manifest"].parent)
    if given["timeout_s"] is None:
        given["timeout_s"] = _TIMEOUT_S[suite]
    declared = frozenset(trait for trait in Trait if given[trait.name.lower()])
    stopwatch = Stopwatch()
    with used_mock(given["base_url"], seed, given["port"] or 0) as mock:
        base_url = mock.base_url
        if client is None:
            results, end = (
                run_watch(cases, base_url, given, declared, is_verbose=verbose),
                AuditEnd(),
            )
        else:
            results, end = run_client(client, cases, base_url, given, declared, is_verbose=verbose)
    done = {each.id for each in results}
    rest = [
        unjudged_case(each.situation, Verdict.INCONCLUSIVE, end.not_run)
        for each in cases
        if each.situation.id not in done
    ]
    order = {each.situation.id: number for number, each in enumerate(cases)}
    whole = summarize(
        sorted([*results, *rest], key=lambda case: order[case.id]),
        load_register(),
        client=command or "clients that used the keys",
        base_url=base_url,
        suite="selected" if select else suite,
        strict=strict,
        seed=mock.seed,
        untested="not tested by any case of this audit" if watch else _ONE_PROMPT,
        run=stopwatch.facts(),
        selection=[f"--select {glob}" for glob in select],
        requirements=_requirements(cases) if select else RULES,
    )
    whole = msgspec.structs.replace(whole, declared=tuple(sorted(declared)))
    try:
        if report is not None:
            write_audit(whole, report)
    except OutputError:
        Terminal().print(summary_entries(whole, None))
        raise
    if end.error is not None:  # It says all that is known.
        Terminal().print([] if report is None else [report_path(report)])
        raise end.error
    Terminal().print(summary_entries(whole, report))
    return INTERRUPTED if end.is_interrupted else whole.summary.exit_status


def _reject_conflicts(
    command: str | None, given: dict[str, Any], *, watch: bool, explore: bool
) -> None:
    """Raise UsageError for switches that do not go together."""
    if explore and (watch or command is None):
        raise click.UsageError("--explore requires --exec COMMAND, without --watch")
    if (command is None) != watch:
        raise click.UsageError("one of --exec COMMAND and --watch is required, not both")
    for switch, name, mode, is_on in (
        ("--manifest", "manifest", "--watch", watch),
        ("--idle-timeout", "idle_timeout_s", "--watch", watch),
        ("--budget", "budget_s", "--explore", explore),
    ):
        if given[name] is not None and not is_on:
            raise click.UsageError(f"{switch} requires {mode}")
    if given["base_url"] is not None:
        for name in ("seed", "port"):
            if given[name] is not None:
                raise click.UsageError(f"--{name} requires a new mock; omit --base-url")


def _requirements(cases: Sequence[CasePlan]) -> list[Rule]:
    """Return the rules that the selected cases judge."""
    judged = frozenset().union(*(each.rules for each in cases))
    return [rule for rule in RULES if rule.id in judged]


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
