"""The switches that name a target and choose cases, the same for `run` and `plan`."""

import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import click

from contract_tests.contract.mock_process import drawn_seed
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, selected, unknown
from contract_tests.server.money import dollars
from contract_tests.server.options import DEFAULT_KEY, WAITING_WORKERS, WORKERS, Options

F = TypeVar("F", bound=Callable[..., object])

PROFILES = ("smoke", "full")
_KEY = "APIXO_API_KEY"


class Dollars(click.ParamType[Decimal]):
    name = "DOLLARS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return dollars(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_TARGET = (
    click.option("--base-url", metavar="URL", help="The server; without it a mock is started."),
    click.option("--api-key", metavar="KEY", help=f"For loopback; else it comes from {_KEY}."),
    click.option("--live", is_flag=True,
                 help="Allow a target that is not on this machine, or treat one so."),
    click.option("--budget", type=Dollars(), help="What a live run may cost at most."),
    click.option("--allow-exhaustion", is_flag=True, help="Let a live run use up limits."),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Repeat a run."),
    click.option("--workers", type=click.IntRange(1, 64), metavar="N",
                 help=f"Cases side by side.  [default: {WORKERS}, {WAITING_WORKERS} where time"
                 " cannot be moved, 1 where they share a key]"),
    click.option("--receiver-host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
                 help="Where the kit listens for callbacks."),
    click.option("--receiver-port", type=click.IntRange(0, 65535), default=0, metavar="PORT",
                 help="0 takes a free one."),
    click.option("--receiver-url", metavar="URL", help="How the target reaches it from outside."),
)  # fmt: skip
_CHOICE = (
    click.option("--select", multiple=True, metavar="GLOB",
                 help="Cases with such an id, as S-STA-*; can be repeated."),
    click.option("--deselect", multiple=True, metavar="GLOB",
                 help="Leave these out; can be repeated."),
    click.option("--clause", "clauses", multiple=True, metavar="ID",
                 help="Cases about this clause, as STA-5; can be repeated."),
    click.option("--profile", type=click.Choice(PROFILES),
                 help="How much.  [default: full on loopback, smoke live]"),
)  # fmt: skip


def options_of(given: Mapping[str, Any]) -> Options:
    """Put the switches together; the key comes from the environment where none is given."""
    from_environment = os.environ.get(_KEY, "").strip()
    return Options(
        base_url=given["base_url"],
        api_key=given["api_key"] or from_environment or DEFAULT_KEY,
        key_is_from_environment=bool(from_environment) and not given["api_key"],
        profile=given["profile"],
        seed=drawn_seed() if given["seed"] is None else given["seed"],
        workers=given["workers"],
        live=given["live"],
        budget=given["budget"],
        allow_exhaustion=given["allow_exhaustion"],
        receiver_host=given["receiver_host"],
        receiver_port=given["receiver_port"],
        receiver_url=given["receiver_url"],
    )


def chosen(given: Mapping[str, Any], profile: str) -> tuple[Case, ...]:
    """Raise UsageError for a choice that chooses nothing, in whole or in a part."""
    cases, globs = all_cases(), (*given["select"], *given["deselect"])
    wrong = list(unknown(cases, globs=globs, clauses=given["clauses"]))
    if wrong:
        raise click.UsageError(f"no case matches {', '.join(wrong)}: see contract-tests list")
    picked = selected(
        cases,
        select=given["select"],
        deselect=given["deselect"],
        clauses=given["clauses"],
        profile=profile,
    )
    if not picked:
        raise click.UsageError("no case is chosen: see contract-tests list")
    return picked


def has_switches(switches: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """Return a decorator that gives a command these switches, in this order."""

    def add(command: F) -> F:
        for switch in reversed(switches):
            command = switch(command)
        return command

    return add


asks_a_target = has_switches(_TARGET)
chooses_cases = has_switches(_CHOICE)
