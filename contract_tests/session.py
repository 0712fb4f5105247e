"""Puts a run together: the target, its keys, the worlds of the cases, the report."""

import re
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec

from contract_tests import cassettes
from contract_tests.case import Case, Time
from contract_tests.cassettes import Cassette, ReplayWorld
from contract_tests.guard import Ledger, LiveGuard
from contract_tests.http_world import TIMEOUT_S, HttpWorld
from contract_tests.probe import Target
from contract_tests.receiver import Receiver
from contract_tests.redaction import Redaction
from contract_tests.register import Register, load_register
from contract_tests.report import VERSION, CaseResult, Report, clause_results, summary_of
from contract_tests.runner import Ran, Runner
from contract_tests.targets import (
    BadTarget,
    derived_key,
    found_target,
    is_loopback,
    origin_of,
    own_mock,
)
from contract_tests.verdicts import Verdict
from contract_tests.world import World

DEFAULT_KEY = "contract-tests"
WORKERS = 4
WAITING_WORKERS = 16  # where time cannot be moved, workers mostly wait
_STILL = (  # time is moved; a receiver has 3 s instead of 30, so that slow ones can be tried
    "--clock", "manual", "--callback-timeout", "3",
)  # fmt: skip
_IN_A_HEADER = re.compile(r"[!-~]+")


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


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is ready: take the results of `run`, then ask for the report."""

    target: Target
    profile: str
    seed: int
    register: Register
    runner: Runner
    workers: int
    recorded: frozenset[str] | None = None
    """The ids of the cases that a recording holds; None where cases really run."""
    ledger: Ledger | None = None
    """What a live run spends; None where nothing costs."""

    @property
    def spent(self) -> Decimal | None:
        return None if self.ledger is None else self.ledger.spent

    def run(self, cases: tuple[Case, ...]) -> Generator[Ran, None, None]:
        return self.runner.run(cases, self.workers)

    def report(self, results: tuple[CaseResult, ...]) -> Report:
        clauses = clause_results(results, self.register)
        return Report(
            version=VERSION,
            base_url=self.target.base_url,
            is_live=self.target.is_live,
            profile=self.profile,
            seed=self.seed,
            settings=self.target.settings,
            cases=results,
            clauses=clauses,
            summary=summary_of(results, clauses, self.register),
        )

    def cassette(self, results: tuple[CaseResult, ...]) -> Cassette:
        return Cassette(
            target=self.target,
            profile=self.profile,
            seed=self.seed,
            cases=tuple(result.id for result in results),
            skipped={
                result.id: result.reason for result in results if result.verdict is Verdict.SKIP
            },
        )


def is_live(options: Options) -> bool:
    """Raise BadTarget for an address that is none."""
    if options.base_url is None:
        return False
    return options.live or not is_loopback(origin_of(options.base_url))


def default_profile(options: Options) -> str:
    return options.profile or ("smoke" if is_live(options) else "full")


def refuse_unsafe(options: Options) -> None:
    """Raise BadTarget for a run that could cost money without saying how much it may."""
    if not _IN_A_HEADER.fullmatch(options.api_key):
        raise BadTarget("the API key must be ASCII letters, digits and signs, without spaces")
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
        raise BadTarget(
            f"{origin_of(options.base_url)} is a live service, so a run may cost money:"
            f" it needs {' and '.join(lacking)}; nothing was sent."
            " See what it would cost with: contract-tests plan"
        )


@contextmanager
def session(options: Options) -> Iterator[Session]:
    """Make everything ready, and clear away afterwards. Raises BadTarget and Unreachable."""
    refuse_unsafe(options)
    with ExitStack() as stack:
        base_url = (
            stack.enter_context(own_mock(options.seed, *_STILL))
            if options.base_url is None
            else origin_of(options.base_url)
        )
        live = is_live(options)
        http = stack.enter_context(httpx.Client(timeout=TIMEOUT_S, trust_env=live))
        receiver = stack.enter_context(
            Receiver(options.receiver_host, options.receiver_port, options.receiver_url)
        )
        target = found_target(http, base_url, options.api_key, is_live=live)
        ledger = Ledger(options.budget or Decimal(0)) if live else None
        guard = LiveGuard(ledger) if ledger else None

        def world_of(case: Case) -> World:
            keys = _keys(options.api_key, case, target)
            return HttpWorld(
                http,
                base_url,
                keys,
                receiver,
                case_id=case.id,
                redaction=Redaction([*keys.values(), options.api_key]),
                guard=guard,
            )

        workers = options.workers or (WORKERS if target.has_control else WAITING_WORKERS)
        if not target.has_other_key:
            workers = 1  # cases that share a key meet
        ready = _session(
            options, target, world_of, workers, lambda case: why_not(case, target, options)
        )
        yield msgspec.structs.replace(ready, ledger=ledger)


@contextmanager
def replay(directory: Path, options: Options) -> Iterator[Session]:
    """Judge again what was recorded, with no network. Raises BadCassette."""
    cassette = cassettes.load_index(directory)
    again = msgspec.structs.replace(options, seed=cassette.seed, profile=cassette.profile)

    def world_of(case: Case) -> World:
        return ReplayWorld(cassettes.load(directory, case.id))

    for case_id in cassette.cases:
        cassettes.load(directory, case_id)
    ready = _session(
        again,
        cassette.target,
        world_of,
        options.workers or WORKERS,
        lambda case: cassette.skipped.get(case.id, ""),
    )
    yield msgspec.structs.replace(ready, recorded=frozenset(cassette.cases))


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


def drawn_seed() -> int:
    return secrets.randbelow(2**32)


def _session(
    options: Options,
    target: Target,
    world_of: Callable[[Case], World],
    workers: int,
    skips: Callable[[Case], str],
) -> Session:
    register = load_register()
    runner = Runner(
        target,
        register,
        world_of,
        seed=options.seed,
        skips=skips,
        expected_failures=options.expected_failures,
    )
    return Session(
        target=target,
        profile=default_profile(options),
        seed=options.seed,
        register=register,
        runner=runner,
        workers=workers,
    )


def _keys(api_key: str, case: Case, target: Target) -> dict[str, str]:
    if not target.has_other_key:
        return {"own": api_key}
    return {name: derived_key(api_key, case.id, name) for name in ("own", "other")}
