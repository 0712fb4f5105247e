"""A store driven by hand: one command after the other, at the instants that a test decides."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import msgspec

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.commands import (
    ChangeSettings,
    ClaimDeliveries,
    Command,
    CountRequest,
    ExpectCallback,
    FinishTask,
    HoldClock,
    MoveClock,
    ReadCounters,
    ReadStatus,
    RecordDelivery,
    RecordExchange,
    ReleaseClock,
    Reset,
    Submit,
)
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import DEFAULT_REQUEST, PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import BalanceView, Counters, Rejection, TaskView
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.submission import Submission
from mock_server.domain.task import Ending, Task, TaskState, state_at
from mock_server.settings import Settings
from mock_server.web.api_keys import sandbox_id

CATALOGUE = load_catalogue(Settings())
MODEL = CATALOGUE.models["gpt-image-1"]
PRICE = 35_000  # of an image, BIL-3
START_MS = 1_800_000_000_000
HELD = PlanRequest(is_held=True)
HOOK = "http://127.0.0.1/hook"

Result = TypeVar("Result")


def lasting(milliseconds: int, fail_code: str | None = None) -> PlanRequest:
    """Ask for a task that is processing for so long, and never pending."""
    return PlanRequest(
        ending=Ending(fail_code=fail_code, fail_message=fail_code and "because"),
        pending_ms=0,
        processing_ms=milliseconds,
    )


class Bench:
    """A store and the real instant of the next operation."""

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

    def has(self, key: "Key") -> bool:
        """Tell whether the store still holds the sandbox of a key."""
        return self.run(self.store.read(key.id)) is not None


class Key:
    """What is done with one API key."""

    def __init__(self, bench: Bench, name: str, *, is_broke: bool) -> None:
        self._bench = bench
        self._is_broke = is_broke
        self.id = sandbox_id(name)
        self.open()

    def open(self) -> SandboxReader:
        return self._bench.run(
            self._bench.store.open(self.id, is_broke=self._is_broke, real_ms=self._bench.real_ms)
        )

    @property
    def sandbox(self) -> SandboxReader:
        found = self._bench.run(self._bench.store.read(self.id))
        assert found is not None
        return found

    def execute(self, command: type[Command[Result]], **members: Any) -> Result:
        """Apply a command at the present instant."""
        made = command(real_ms=self._bench.real_ms, **members)
        return self._bench.run(self._bench.store.execute(self.id, made))

    def submit(
        self,
        plan_request: PlanRequest = DEFAULT_REQUEST,
        *,
        images: int = 1,
        callback_url: str | None = None,
        known_changes: int | None = None,
    ) -> TaskView | Rejection:
        submission = Submission(
            prompt="a fox", ratio="1:1", num_images=images, callback_url=callback_url
        )
        return self.execute(
            Submit,
            model_id=MODEL.id,
            submission=submission,
            plan_request=plan_request,
            base_url="http://mock",
            known_changes=known_changes,
        )

    def task(self, plan_request: PlanRequest = DEFAULT_REQUEST, **submitted: Any) -> Task:
        """Submit a task that is accepted."""
        view = self.submit(plan_request, **submitted)
        assert isinstance(view, TaskView)
        return view.task

    def callback_task(self, plan_request: PlanRequest) -> Task:
        """Submit a callback task whose answer has been sent."""
        task = self.task(plan_request, callback_url=HOOK)
        self.execute(ExpectCallback, task_id=task.id)
        return task

    def status(self, task_id: str, model_id: str = MODEL.id) -> TaskView | Rejection:
        return self.execute(ReadStatus, model_id=model_id, task_id=task_id)

    def status_state(self, task_id: str) -> TaskState:
        """Return the state that an accepted status request sees."""
        view = self.status(task_id)
        assert isinstance(view, TaskView)
        return state_at(view.task, view.now_ms)

    def balance(self) -> BalanceView | Rejection:
        return self.execute(CountRequest)

    def record(self, answer: bytes = b"") -> None:
        """Record the exchange of a request for the balance."""
        entry = Entry(0, 0, Operation.BALANCE, "", 200, 0, b"", answer)
        self.execute(RecordExchange, entry=entry)

    def finish(self, task_id: str, fail_code: str | None = None) -> TaskView | Rejection:
        message = fail_code and "as told"
        return self.execute(FinishTask, task_id=task_id, fail_code=fail_code, fail_message=message)

    def stored(self, task_id: str) -> Task:
        """Return a task as it is stored now."""
        view = self.sandbox.task(task_id, self._bench.real_ms)
        assert view is not None
        return view.task

    def states(self) -> dict[str, TaskState]:
        """Return the states of all tasks as control sees them; nothing is counted."""
        tasks, now_ms = self.sandbox.tasks(self._bench.real_ms)
        return {task.id: state_at(task, now_ms) for task in tasks}

    def counters(self) -> Counters:
        """Return the counters; if readers know them without a command, they are the same."""
        known = self.sandbox.counters(self._bench.real_ms)
        counters = self.execute(ReadCounters)
        assert known is None or known == counters
        assert self.sandbox.counters(self._bench.real_ms) == counters
        return counters

    def reset(self) -> None:
        self.execute(Reset)

    def change(self, *, balance_microusd: int | None = None, **changes: Any) -> None:
        settings = msgspec.structs.replace(self.sandbox.settings, **changes)
        self.execute(ChangeSettings, settings=settings, balance_microusd=balance_microusd)

    def deliver(self, delivered: DeliveryResult) -> list[tuple[str, int]]:
        """Make every attempt that is due; return the task and the number of each."""
        claimed = self.execute(ClaimDeliveries)
        for due in claimed:
            self.execute(RecordDelivery, claimed=due, delivered=delivered)
        return [(due.task.id, due.attempt) for due in claimed]

    def next_due_ms(self) -> int | None:
        return self.sandbox.next_due_ms()

    def real_wait_s(self) -> float | None:
        return self.sandbox.real_wait_s(self.next_due_ms(), self._bench.real_ms)

    def advance(self, milliseconds: int) -> None:
        """Move the clock by hand."""
        from_ms = self.execute(HoldClock)
        assert from_ms is not None
        self.execute(MoveClock, instant_ms=from_ms + milliseconds)
        self.execute(ReleaseClock)


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
