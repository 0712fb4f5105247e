"""The switches that name a target and select cases, the same for `run` and `plan`."""

import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import click

from contract_tests.contract.mock_process import draw_seed
from contract_tests.contract.program import command_line
from contract_tests.server.case import Case
from contract_tests.server.catalogue import SUITES, all_cases, select_cases, unknown_patterns
from contract_tests.server.money import parse_dollars
from contract_tests.server.options import DEFAULT_KEY, WAITING_WORKERS, WORKERS, Options

F = TypeVar("F", bound=Callable[..., object])

_KEY = "APIXO_API_KEY"
_SECOND_KEY = "APIXO_SECOND_API_KEY"


class RenamedOption(click.Option):
    """An option with older names, which still work but are not shown in the help."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        names, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


class Dollars(click.ParamType[Decimal]):
    name = "DOLLARS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return parse_dollars(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_TARGET = (
    click.option("--base-url", metavar="URL",
                 help="Server under test.  [default: a mock that this command starts]"),
    click.option("--api-key", metavar="KEY",
                 help=f"API key for a server on this machine.  [default: {_KEY}]"),
    click.option("--second-api-key", metavar="KEY",
                 help=f"Key of a second account, for a server that does not accept any key."
                 f"  [default: {_SECOND_KEY}]"),
    click.option("--live", is_flag=True,
                 help="Allow a server that is not on this machine; treat every server as live."),
    click.option("--budget", type=Dollars(), help="Maximum cost of a live run, in US dollars."),
    click.option("--allow-exhaustion", is_flag=True,
                 help="Allow a live run to exhaust limits of the account."),
    click.option("--seed", type=click.IntRange(0), metavar="N",
                 help="Random seed. The same seed reproduces a run.  [default: a new one]"),
    click.option("--workers", type=click.IntRange(1, 64), metavar="N",
                 help=f"Cases that run in parallel.  [default: {WORKERS}; {WAITING_WORKERS} without"
                 " a control plane; 1 if cases share a key]"),
    click.option("--timeout", "timeout_s", type=click.FloatRange(0.1), metavar="SECONDS",
                 help="Time limit per case, in seconds.  [default: 300; 900 if it waits for tasks;"
                 " 1800 if it is slow]"),
    click.option("--receiver-host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
                 help="Address of the kit's callback receiver."),
    click.option("--receiver-port", type=click.IntRange(0, 65535), default=0, metavar="PORT",
                 help="Port of the kit's callback receiver; 0 selects a free port."
                 "  [default: 0]"),
    click.option("--receiver-url", metavar="URL",
                 help="Public URL of the callback receiver, if it differs from host and port."),
)  # fmt: skip
_SELECTION = (
    click.option("--select", multiple=True, metavar="GLOB",
                 help="Run cases with matching ids only, such as 'S-STA-*'. Repeatable."),
    click.option("--deselect", multiple=True, metavar="GLOB",
                 help="Omit cases with matching ids. Repeatable."),
    click.option("--clause", "clauses", multiple=True, metavar="ID",
                 help="Run cases about this clause only, such as STA-5. Repeatable."),
    click.option("--suite", "--profile", "suite", cls=RenamedOption, type=click.Choice(SUITES),
                 help="Set of cases.  [default: full on this machine, smoke on a live server]"),
)  # fmt: skip


def options_of(given: Mapping[str, Any]) -> Options:
    """Return the options of a run; keys that are not given come from the environment."""
    from_environment = os.environ.get(_KEY, "").strip()
    second = os.environ.get(_SECOND_KEY, "").strip()
    return Options(
        base_url=given["base_url"],
        api_key=given["api_key"] or from_environment or DEFAULT_KEY,
        key_is_from_environment=bool(from_environment) and not given["api_key"],
        second_key=given["second_api_key"] or second or None,
        second_key_is_from_environment=bool(second) and not given["second_api_key"],
        suite=given["suite"],
        seed=draw_seed() if given["seed"] is None else given["seed"],
        workers=given["workers"],
        live=given["live"],
        budget_usd=given["budget"],
        allow_exhaustion=given["allow_exhaustion"],
        timeout_s=given["timeout_s"],
        receiver_host=given["receiver_host"],
        receiver_port=given["receiver_port"],
        receiver_url=given["receiver_url"],
        selection=selection_of(given),
    )


def selection_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the switches that select cases, as they are written on the command line."""
    switches = (("--select", "select"), ("--deselect", "deselect"), ("--clause", "clauses"))
    return tuple(f"{switch} {each}" for switch, name in switches for each in given[name])


def selected_cases(given: Mapping[str, Any], suite: str) -> tuple[Case, ...]:
    """Return the selected cases. Raise UsageError if any pattern, or all together, match none."""
    cases, globs = all_cases(), (*given["select"], *given["deselect"])
    unknown = list(unknown_patterns(cases, globs=globs, clauses=given["clauses"]))
    if unknown:
        raise click.UsageError(
            f"no case matches {', '.join(unknown)}; {command_line('list')} shows all cases"
        )
    selected = select_cases(
        cases,
        select=given["select"],
        deselect=given["deselect"],
        clauses=given["clauses"],
        suite=suite,
    )
    if not selected:
        raise click.UsageError(f"no case is selected; {command_line('list')} shows all cases")
    return selected


def with_options(options: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """Return a decorator that gives a command these options, in this order."""

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Print every case, not only those that did not pass."
)
with_target_options = with_options(_TARGET)
with_selection_options = with_options(_SELECTION)
