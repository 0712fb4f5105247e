"""The options of a run, and the checks that make a run safe."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from contract_tests.contract.base_url import origin_of
from contract_tests.contract.errors import TargetError
from contract_tests.contract.program import command_line
from contract_tests.server.case import Case, Time
from contract_tests.server.target import Target
from contract_tests.server.targets import is_loopback

DEFAULT_KEY: Final = "contract-tests"
WORKERS: Final = 4
WAITING_WORKERS: Final = 16  # Without a control plane, workers mostly wait for tasks.
_LIMITS_S: Final = {Time.INSTANT: 300.0, Time.ONE_GENERATION: 900.0, Time.LONG: 1800.0}
_SLOW_S: Final = 1800.0  # Thousands of requests at the pace of the server, or a busy machine.
_IN_A_HEADER: Final = re.compile(r"[!-~]+")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run. Without `base_url` the run starts a mock and tests it.

    A target that is not on this machine requires `live`, a key from the environment and a budget.
    With `live` a loopback address counts as live too, because it may be a proxy of the service.
    """

    base_url: str | None = None
    api_key: str = DEFAULT_KEY
    key_is_from_environment: bool = False
    second_key: str | None = None
    second_key_is_from_environment: bool = False
    suite: str | None = None
    seed: int = 0
    workers: int | None = None
    live: bool = False
    budget_usd: Decimal | None = None
    allow_exhaustion: bool = False
    receiver_host: str = "127.0.0.1"
    receiver_port: int = 0
    receiver_url: str | None = None
    timeout_s: float | None = None
    expected_failures: Mapping[str, str] = {}
    selection: tuple[str, ...] = ()
    """The switches that select cases, for the report; empty if the suite selects them."""


def is_live(options: Options) -> bool:
    """Return whether the target may cost money. Raise TargetError for an invalid address."""
    if options.base_url is None:
        return False
    return options.live or not is_loopback(origin_of(options.base_url))


def default_suite(options: Options) -> str:
    return options.suite or ("smoke" if is_live(options) else "full")


def time_limit_s(case: Case, options: Options) -> float:
    """Return after how many real seconds a case is ended, although it has not finished."""
    if options.timeout_s is not None:
        return options.timeout_s
    return _SLOW_S if case.exhausts or case.is_slow else _LIMITS_S[case.time]


def reject_unsafe(options: Options) -> None:
    """Raise TargetError for a run that could cost money and sets no limit."""
    for key in (options.api_key, options.second_key):
        if key is not None and not _IN_A_HEADER.fullmatch(key):
            raise TargetError(
                "the API key must consist of printable ASCII characters without spaces"
            )
    if options.second_key == options.api_key:
        raise TargetError("the second API key must differ from the first one")
    if options.base_url is None or not is_live(options):
        return
    missing = [
        name
        for name, is_given in (
            ("--live", options.live),
            ("the API key in APIXO_API_KEY instead of on the command line",
             options.key_is_from_environment),
            ("the second API key in APIXO_SECOND_API_KEY instead of on the command line",
             options.second_key is None or options.second_key_is_from_environment),
            ("--budget DOLLARS", options.budget_usd is not None),
        )
        if not is_given
    ]  # fmt: skip
    if missing:
        raise TargetError(
            f"{origin_of(options.base_url)} is a live service, so a run may cost money."
            f" It requires {' and '.join(missing)}. No request was sent."
            f" {command_line('plan')} shows what a run would cost"
        )


def skip_reason(case: Case, target: Target, options: Options) -> str:
    """Return why a case is not run against this target; an empty text if it is run."""
    if case.needs_control and not target.has_control:
        return "requires a control plane, which only the mock has"
    if case.time is Time.LONG and not target.has_control:
        return "takes days without a control plane that can advance the clock"
    if target.is_live and case.loopback_only:
        return case.loopback_only
    if target.is_live and case.needs_receiver and options.receiver_url is None:
        return "requires --receiver-url, a URL at which the service can reach the kit"
    if target.is_live and case.exhausts and not options.allow_exhaustion:
        return "exhausts a limit of the account; set --allow-exhaustion to run it"
    return ""
