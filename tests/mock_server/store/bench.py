"""A store driven by hand: one operation after the other, at the instants that a test decides."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import msgspec

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.planner import DEFAULT_BRIEF, Brief
from mock_server.domain.ports import Sent
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.domain.store import Counted, Counters, Refused, Sandbox, Seen, Store
from mock_server.domain.submission import Submission
from mock_server.domain.task import Task, TaskState, state_at
from mock_server.settings import Settings
from mock_server.web.tenants import sandbox_id

CATALOGUE = load_catalogue(Settings())
MODEL = CATALOGUE.models["gpt-image-1"]
PRICE = 35_000  # of an image, BIL-3
START_MS = 1_800_000_000_000
HELD = Brief(is_held=True)
HOOK = "http://127.0.0.1/hook"

Result = TypeVar("Result")


def lasting(milliseconds: int, fail_code: str | None = None) -> Brief:
    """Ask for a task that is processing for so long, and never pending."""
    return Brief(
        pending_ms=0,
        processing_ms=milliseconds,
        fail_code=fail_code,
        fail_message=fail_code and "because",
    )


class Bench:
    """A store and the real instant at which it is asked."""

    def __init__(self, store: Store, runner: asyncio.Runner) -> None:
        self.store = store
        self.real_ms = START_MS
        self._runner = runner

    def run(self, operation: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(operation)

    def pass_time(self, milliseconds: int) -> None:
        self.real_ms += milliseconds

    def key(self, name: str = "a key", *, is_broke: bool = False) -> "Key":
        return Key(self, name, is_broke=is_broke)

    def sandbox_ids(self) -> set[str]:
        return {sandbox.id for sandbox in self.run(self.store.sandboxes())}


class Key:
    """What is done with one API key."""

    def __init__(self, bench: Bench, name: str, *, is_broke: bool) -> None:
        self._bench = bench
        self.sandbox: Sandbox = bench.run(
            bench.store.sandbox(sandbox_id(name), is_broke=is_broke, real_ms=bench.real_ms)
        )

    def submit(
        self,
        brief: Brief = DEFAULT_BRIEF,
        *,
        images: int = 1,
        callback_url: str | None = None,
    ) -> Seen | Refused:
        submission = Submission(
            prompt="a fox", ratio="1:1", num_images=images, callback_url=callback_url
        )
        return self._run(
            self.sandbox.admit(MODEL, submission, brief, "http://mock", self._bench.real_ms)
        )

    def task(self, brief: Brief = DEFAULT_BRIEF, **asked: Any) -> Task:
        """Submit, and be let through."""
        seen = self.submit(brief, **asked)
        assert isinstance(seen, Seen)
        return seen.task

    def callback_task(self, brief: Brief) -> Task:
        """Submit a task that is to be called back, and read the answer."""
        task = self.task(brief, callback_url=HOOK)
        self._run(self.sandbox.expect_callback(task.id))
        return task

    def status(self, task_id: str, model_id: str = MODEL.id) -> Seen | Refused:
        return self._run(self.sandbox.observe(model_id, task_id, self._bench.real_ms))

    def status_state(self, task_id: str) -> TaskState:
        """Ask for the status, and be let through."""
        seen = self.status(task_id)
        assert isinstance(seen, Seen)
        return state_at(seen.task, seen.now_ms)

    def balance(self) -> Counted | Refused:
        return self._run(self.sandbox.count(self._bench.real_ms))

    def finish(self, task_id: str, fail_code: str | None = None) -> Seen | None:
        message = fail_code and "as told"
        return self._run(self.sandbox.finish(task_id, fail_code, message, self._bench.real_ms))

    def states(self) -> dict[str, TaskState]:
        """Look at all tasks as control does; nothing is counted."""
        tasks, now_ms = self._run(self.sandbox.tasks(self._bench.real_ms))
        return {task.id: state_at(task, now_ms) for task in tasks}

    def counters(self) -> Counters:
        return self._run(self.sandbox.counters(self._bench.real_ms))

    def reset(self) -> None:
        self._run(self.sandbox.reset(self._bench.real_ms))

    def change(self, *, balance_microusd: int | None = None, **changes: Any) -> None:
        settings = msgspec.structs.replace(self.sandbox.settings, **changes)
        self._run(self.sandbox.change(settings, balance_microusd, self._bench.real_ms))

    def deliver(self, sent: Sent) -> list[tuple[str, int]]:
        """Make every attempt that is due; return whose turn it was, and which attempt."""
        claims = self._run(self.sandbox.claim(self._bench.real_ms))
        for claim in claims:
            self._run(self.sandbox.settle(claim, sent, self._bench.real_ms))
        return [(claim.delivery.task.id, claim.number) for claim in claims]

    def next_due_ms(self) -> int | None:
        return self._run(self.sandbox.next_due_ms())

    def _run(self, operation: Coroutine[Any, Any, Result]) -> Result:
        return self._bench.run(operation)


class NewBench(Protocol):
    """Makes a store of its own for a test; `settings` are those of its sandboxes."""

    def __call__(
        self,
        *,
        seed: int = 7,
        max_tasks: int = 1_000_000,
        max_sandboxes: int = 1_000,
        clock: ClockSettings | None = None,
        **settings: Any,
    ) -> Bench: ...
