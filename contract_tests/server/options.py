"""What a run is asked to do, and whether it may be done to this target."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from contract_tests.contract.errors import TargetError
from contract_tests.server.case import Case, Time
from contract_tests.server.target import Target
from contract_tests.server.targets import is_loopback, origin_of

DEFAULT_KEY: Final = "contract-tests"
WORKERS: Final = 4
WAITING_WORKERS: Final = 16  # where time cannot be moved, workers mostly wait
_IN_A_HEADER: Final = re.compile(r"[!-~]+")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is asked to do; without a base URL it starts a mock of its own.

    A target that is not loopback needs `live`, a key from the environment and a budget in dollars.
    With `live` a loopback target counts as live too: it may be a way to the real service.
    """

    base_url: str | None = None
    api_key: str = DEFAULT_KEY
    key_is_from_environment: bool = False
    profile: str | None = None
    seed: int = 0
    workers: int | None = None
    live: bool = False
    budget: Decimal | None = None
    allow_exhaustion: bool = False
    receiver_host: str = "127.0.0.1"
    receiver_port: int = 0
    receiver_url: str | None = None
    expected_failures: Mapping[str, str] = {}


def is_live(options: Options) -> bool:
    """Raise TargetError for an address that is none."""
    if options.base_url is None:
        return False
    return options.live or not is_loopback(origin_of(options.base_url))


def default_profile(options: Options) -> str:
    return options.profile or ("smoke" if is_live(options) else "full")


def refuse_unsafe(options: Options) -> None:
    """Raise TargetError for a run that could cost money without saying how much it may."""
    if not _IN_A_HEADER.fullmatch(options.api_key):
        raise TargetError("the API key must be ASCII letters, digits and signs, without spaces")
    if options.base_url is None or not is_live(options):
        return
    lacking = [
        name
        for name, is_there in (
            ("--live", options.live),
            ("an API key in APIXO_API_KEY, none on the command line",
             options.key_is_from_environment),
            ("--budget DOLLARS", options.budget is not None),
        )
        if not is_there
    ]  # fmt: skip
    if lacking:
        raise TargetError(
            f"{origin_of(options.base_url)} is a live service, so a run may cost money:"
            f" it needs {' and '.join(lacking)}; nothing was sent."
            " See what it would cost with: contract-tests plan"
        )


def why_not(case: Case, target: Target, options: Options) -> str:
    """Say why a case is not run against this target; nothing when it is."""
    if case.needs_control and not target.has_control:
        return "needs the control plane of the mock"
    if case.time is Time.LONG and not target.has_control:
        return "takes longer than a run can wait where time cannot be moved"
    if target.is_live and case.loopback_only:
        return case.loopback_only
    if target.is_live and case.needs_receiver and options.receiver_url is None:
        return "needs an address at which the service reaches the kit: --receiver-url"
    if target.is_live and case.exhausts and not options.allow_exhaustion:
        return "uses up a limit of the account: allow it with --allow-exhaustion"
    return ""
