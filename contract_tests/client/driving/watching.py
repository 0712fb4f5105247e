"""Hands out a key a case to whoever comes, and judges when told or when it has become quiet."""

import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, Final

import httpx
import msgspec

from contract_tests.client.choosing import Chosen
from contract_tests.client.driving.sandbox import AuditedSandbox, new_key
from contract_tests.client.reports.report import AuditedCase, judged_case, left_out
from contract_tests.contract.errors import TargetError
from contract_tests.contract.verdicts import Verdict

_LOOK_EVERY_S: Final = 0.25


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    base_url: str
    manifest: Path | None
    quiet_s: float | None
    say: Callable[[str], Any]


def watched(chosen: Sequence[Chosen], watch: Watch) -> Iterator[AuditedCase]:
    """Stage all cases, tell their keys, wait, and yield what came of each.

    Raises TargetError, httpx.HTTPError.
    """
    with (
        _told_to_judge() as told,
        httpx.Client(base_url=watch.base_url, timeout=30, trust_env=False) as http,
    ):
        staged = [(each, AuditedSandbox(http, new_key(each.situation.id))) for each in chosen]
        for each, sandbox in staged:
            sandbox.stage(each.situation)
        manifest = _manifest(staged, watch.base_url)
        if watch.manifest is not None:
            _write(watch.manifest, f"{manifest}\n")
        watch.say(manifest)
        _wait([sandbox for _, sandbox in staged], watch, told)
        is_used = any(sandbox.newest() for _, sandbox in staged)
        for each, sandbox in staged:
            yield _judged(each, sandbox, is_used=is_used)


def _manifest(staged: Sequence[tuple[Chosen, AuditedSandbox]], base_url: str) -> str:
    cases = [
        {
            "id": each.situation.id,
            "title": each.situation.title,
            "api_key": sandbox.key,
            "prompt": f"a red fox in the snow, case {each.situation.id}",
            "needs_callback": each.situation.needs_receiver,
            "rules": sorted(each.rules),
        }
        for each, sandbox in staged
    ]
    return msgspec.json.encode({"base_url": base_url, "cases": cases}).decode()


def _judged(chosen: Chosen, sandbox: AuditedSandbox, *, is_used: bool) -> AuditedCase:
    evidence = sandbox.evidence()
    situation = chosen.situation
    if not evidence.exchanges and is_used:
        return left_out(situation, Verdict.SKIP, "its key was not used")
    if situation.needs_receiver and evidence.exchanges and not evidence.asks_for_callbacks:
        return left_out(situation, Verdict.SKIP, "the client did not ask for a callback")
    return judged_case(situation, evidence, chosen.rules)


def _write(manifest: Path, content: str) -> None:
    """Let whoever waits for the file find it whole, or not at all. Raises TargetError."""
    part = manifest.with_name(f".{manifest.name}.part")
    try:
        part.write_text(content, "utf-8")
        part.replace(manifest)
    except OSError as error:
        raise TargetError(f"--manifest {manifest}: {error.strerror}") from error


def _wait(sandboxes: Sequence[AuditedSandbox], watch: Watch, told: Callable[[], bool]) -> None:
    """Wait for a line, SIGINT or SIGTERM, or for quiet after the first request."""
    seen, since_s = 0, time.monotonic()
    while not told():
        newest = sum(sandbox.newest() for sandbox in sandboxes)
        if newest != seen:
            seen, since_s = newest, time.monotonic()
        quiet_s = time.monotonic() - since_s
        if watch.quiet_s is not None and seen and quiet_s >= watch.quiet_s:
            return


@contextmanager
def _told_to_judge() -> Iterator[Callable[[], bool]]:
    """Give what waits a moment and tells whether somebody wants the judgement now."""
    stop = Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def told() -> bool:
        if sys.stdin is not None and sys.stdin.isatty():
            ready, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY_S)
            return stop.is_set() or bool(ready)
        return stop.wait(_LOOK_EVERY_S)

    with ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, note))
        yield told
