"""Provides one API key per case for a client that the user runs, and judges it afterwards."""

import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final, Protocol

import httpx
import msgspec

from contract_tests.client.driving.sandbox import CaseSandbox, new_key, prompt_of
from contract_tests.client.records import Trait
from contract_tests.client.reports.cases import judge_situation, unjudged_case
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.errors import TargetError
from contract_tests.contract.verdicts import Verdict
from contract_tests.contract.whole_files import write_whole

_USE_KEY: Final = "Let the client generate one picture with each API key."
_REQUEST_CALLBACK: Final = "Let the client receive a callback in the cases that need one."
_POLL_INTERVAL_S: Final = 0.25


class ManifestCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case to run, with the API key for it."""

    id: str
    title: str
    api_key: str
    prompt: str
    needs_callback: bool
    rules: list[str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has to know: where the mock is, and one API key per case."""

    base_url: str
    cases: list[ManifestCase]


class WatchView(Protocol):
    """Shows a watch to the user."""

    def show(self, manifest: Manifest) -> None:
        """Show the keys, once."""

    def update(self, requests: Mapping[str, int]) -> None:
        """Show the number of requests so far, by the id of the case."""

    def close(self) -> None:
        """End the display; the results follow."""


class WatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest` is a file for the keys; `view` shows them.

    `idle_timeout_s` ends the watch after this many seconds without a request, once there was one.
    """

    base_url: str
    manifest: Path | None
    idle_timeout_s: float | None
    view: WatchView
    declared: frozenset[Trait] = frozenset()


def watch_keys(plans: Sequence[CasePlan], options: WatchOptions) -> Iterator[AuditedCase]:
    """Stage all cases, show their keys, wait, and yield the result of each case.

    The wait ends with a line on a terminal, SIGINT, SIGTERM or the idle timeout. Raise
    TargetError or httpx.HTTPError if the mock fails or the manifest cannot be written.
    """
    with (
        _stop_request() as wait_for_stop,
        httpx.Client(
            base_url=options.base_url, verify=trusted_certificates(), timeout=30, trust_env=False
        ) as http,
    ):
        staged = [(plan, CaseSandbox(http, new_key(plan.situation.id))) for plan in plans]
        for plan, sandbox in staged:
            sandbox.stage(plan.situation)
        manifest = _manifest(staged, options.base_url)
        if options.manifest is not None:
            _write(options.manifest, f"{msgspec.json.encode(manifest).decode()}\n")
        sandboxes = {plan.situation.id: sandbox for plan, sandbox in staged}
        with closing(options.view):
            options.view.show(manifest)
            _wait(sandboxes, options, wait_for_stop)
        is_used = any(sandbox.count_exchanges() for sandbox in sandboxes.values())
        for plan, sandbox in staged:
            yield _judge(plan, sandbox, options.declared, is_used=is_used)


def _manifest(staged: Sequence[tuple[CasePlan, CaseSandbox]], base_url: str) -> Manifest:
    cases = [
        ManifestCase(
            id=plan.situation.id,
            title=plan.situation.title,
            api_key=sandbox.key,
            prompt=prompt_of(plan.situation),
            needs_callback=plan.situation.needs_receiver,
            rules=sorted(plan.rules),
        )
        for plan, sandbox in staged
    ]
    return Manifest(base_url=base_url, cases=cases)


def _judge(
    plan: CasePlan, sandbox: CaseSandbox, declared: frozenset[Trait], *, is_used: bool
) -> AuditedCase:
    """Judge one case; skip it if another key was used but not this one."""
    evidence = sandbox.evidence(declared=declared)
    situation = plan.situation
    if not evidence.exchanges and is_used:
        reason = "not tested: the key was not used"
        return unjudged_case(situation, Verdict.SKIP, reason, _USE_KEY)
    if situation.needs_receiver and evidence.exchanges and not evidence.requests_callbacks:
        reason = "not tested: the client did not request a callback"
        return unjudged_case(situation, Verdict.SKIP, reason, _REQUEST_CALLBACK)
    return judge_situation(situation, evidence, plan.rules)


def _write(manifest: Path, content: str) -> None:
    """Write the manifest atomically. Raise TargetError."""
    try:
        write_whole(manifest, content.encode())
    except OSError as error:
        raise TargetError(f"--manifest {manifest}: {error.strerror}") from error


def _wait(
    sandboxes: Mapping[str, CaseSandbox], options: WatchOptions, wait_for_stop: Callable[[], bool]
) -> None:
    """Return when a stop is requested, or when no request arrived for the idle timeout."""
    seen, since_s = 0, time.monotonic()
    while not wait_for_stop():
        requests = {case_id: each.count_exchanges() for case_id, each in sandboxes.items()}
        options.view.update(requests)
        if sum(requests.values()) != seen:
            seen, since_s = sum(requests.values()), time.monotonic()
        idle_s = time.monotonic() - since_s
        if options.idle_timeout_s is not None and seen and idle_s >= options.idle_timeout_s:
            return


@contextmanager
def _stop_request() -> Iterator[Callable[[], bool]]:
    """Yield a function that waits a moment and returns whether the user wants to stop."""
    stop = Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def wait_for_stop() -> bool:
        if sys.stdin is not None and sys.stdin.isatty():
            ready, _, _ = select.select([sys.stdin], [], [], _POLL_INTERVAL_S)
            if ready:  # The shell must not read this line afterwards.
                sys.stdin.readline()
            return stop.is_set() or bool(ready)
        return stop.wait(_POLL_INTERVAL_S)

    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, note))
        yield wait_for_stop
