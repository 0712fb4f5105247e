"""Sets up a run: target, API keys, worlds of the cases, report."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event as Signal

import httpx
import msgspec

from contract_tests.contract.base_url import origin_of
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.mock_process import start_mock
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.register import Register, load_register
from contract_tests.contract.run_facts import Stopwatch
from contract_tests.contract.verdicts import Verdict
from contract_tests.server import cassettes
from contract_tests.server.case import Case
from contract_tests.server.cassettes import Cassette, ReplayWorld
from contract_tests.server.catalogue import sort_by_contract
from contract_tests.server.guard import Ledger, LiveGuard
from contract_tests.server.http_client import TIMEOUT_S, HttpClient
from contract_tests.server.http_world import HttpWorld
from contract_tests.server.options import (
    WAITING_WORKERS,
    WORKERS,
    Options,
    default_suite,
    is_live,
    reject_unsafe,
    skip_reason,
    time_limit_s,
)
from contract_tests.server.own_sandboxes import OwnSandboxes
from contract_tests.server.receiver import Receiver
from contract_tests.server.reports.report import (
    VERSION,
    CaseResult,
    Report,
    clause_results,
    summary_of,
)
from contract_tests.server.runner import CaseRun, Runner
from contract_tests.server.target import Target
from contract_tests.server.targets import derive_key, detect_target, detection_key
from contract_tests.server.time_limit import TimeLimit
from contract_tests.server.traffic.coverage import coverage_of
from contract_tests.server.world import World

# A case needs a receiver that answers too late, in real time: 10 s instead of 30 s is too late
# soon, and still longer than a receiver on a busy machine takes.
_MOCK_SWITCHES = (
    "--clock", "manual", "--callback-timeout", "10",
)  # fmt: skip


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is ready to start: consume the results of `run`, then call `report`."""

    target: Target
    suite: str
    seed: int
    register: Register
    runner: Runner
    workers: int
    stopwatch: Stopwatch
    selection: tuple[str, ...] = ()
    recorded: frozenset[str] | None = None
    """The ids of the cases in the recording; None if this is not a replay."""
    ledger: Ledger | None = None
    """The spending of a live run; None if the run is free."""

    @property
    def spent_usd(self) -> Decimal | None:
        return None if self.ledger is None else self.ledger.spent_usd

    def run(
        self, cases: tuple[Case, ...], on_start: Callable[[str], None] = lambda _: None
    ) -> Generator[CaseRun, None, None]:
        """Yield each result as soon as it is known, in any order."""
        return self.runner.run(cases, self.workers, on_start)

    def report(self, results: tuple[CaseResult, ...]) -> Report:
        """Return the report of these results, in the order of the contract."""
        results = sort_by_contract(results)
        clauses = clause_results(results, self.register, is_selection=bool(self.selection))
        return Report(
            version=VERSION,
            run=self.stopwatch.facts(),
            base_url=self.target.base_url,
            is_live=self.target.is_live,
            profile=self.suite,
            selection=self.selection,
            seed=self.seed,
            settings=self.target.settings,
            cases=results,
            clauses=clauses,
            coverage=coverage_of([each for result in results for each in result.contexts]),
            summary=summary_of(results, clauses, self.register),
        )

    def cassette(self, results: tuple[CaseResult, ...]) -> Cassette:
        results = sort_by_contract(results)
        return Cassette(
            target=self.target,
            profile=self.suite,
            seed=self.seed,
            cases=tuple(result.id for result in results),
            skipped={
                result.id: result.reason for result in results if result.verdict is Verdict.SKIP
            },
        )


@contextmanager
def open_session(options: Options) -> Iterator[Session]:
    """Set up a run and clean up afterwards. Raise TargetError or UnreachableError."""
    reject_unsafe(options)
    with ExitStack() as stack:
        base_url = (
            stack.enter_context(start_mock(options.seed, *_MOCK_SWITCHES))
            if options.base_url is None
            else origin_of(options.base_url)
        )
        live = is_live(options)
        certificates = trusted_certificates(uses_environment=options.base_url is not None)
        http = stack.enter_context(
            httpx.Client(verify=certificates, timeout=TIMEOUT_S, trust_env=live)
        )
        sender = stack.enter_context(HttpClient(certificates, uses_proxies=live))
        receiver = stack.enter_context(
            Receiver(options.receiver_host, options.receiver_port, options.receiver_url)
        )
        target = detect_target(http, base_url, options.api_key, options.second_key, is_live=live)
        sandboxes = OwnSandboxes(http, base_url)
        if target.has_control and target.has_own_keys and options.base_url is not None:
            sandboxes.add([detection_key(options.api_key)])
            stack.callback(sandboxes.remove)
        ledger = Ledger(options.budget_usd or Decimal(0)) if live else None
        guard = LiveGuard(ledger) if ledger else None
        stop = Signal()
        # A derived key begins with the first key, so it is redacted too.
        redaction = Redaction(filter(None, (options.api_key, options.second_key)))

        def world_of(case: Case) -> World:
            keys = _keys(options, case, target)
            sandboxes.add(keys.values())
            return HttpWorld(
                sender,
                base_url,
                keys,
                receiver,
                case_id=case.id,
                redaction=redaction,
                guard=guard,
                limit=TimeLimit(time_limit_s(case, options), stop),
            )

        workers = options.workers or (WORKERS if target.has_control else WAITING_WORKERS)
        if not target.has_own_keys:
            workers = 1  # Cases that share a key would affect each other.
        ready = _session(
            options,
            target,
            world_of,
            workers,
            lambda case: skip_reason(case, target, options),
            stop,
        )
        yield msgspec.structs.replace(ready, ledger=ledger)


@contextmanager
def open_replay(directory: Path, options: Options) -> Iterator[Session]:
    """Set up a run that judges a recording again without requests. Raise CassetteError."""
    cassette = cassettes.load_index(directory)
    again = msgspec.structs.replace(options, seed=cassette.seed, suite=cassette.profile)

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


def _session(
    options: Options,
    target: Target,
    world_of: Callable[[Case], World],
    workers: int,
    skips: Callable[[Case], str],
    stop: Signal | None = None,
) -> Session:
    register = load_register()
    runner = Runner(
        target,
        register,
        world_of,
        seed=options.seed,
        skips=skips,
        expected_failures=options.expected_failures,
        stop=stop,
    )
    return Session(
        target=target,
        suite=default_suite(options),
        seed=options.seed,
        register=register,
        runner=runner,
        workers=workers,
        stopwatch=Stopwatch(),
        selection=options.selection,
    )


def _keys(options: Options, case: Case, target: Target) -> dict[str, str]:
    if target.has_own_keys:
        return {name: derive_key(options.api_key, case.id, name) for name in ("own", "other")}
    keys = {"own": options.api_key}
    return keys if options.second_key is None else keys | {"other": options.second_key}
