"""The state of a sandbox and its initial values."""

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.clock import VirtualClock
from mock_server.domain.deliveries import Deliveries
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.events import Change, Event, TasksEnded
from mock_server.domain.journal import Journal
from mock_server.domain.ledger import PORTION, Ledger
from mock_server.domain.results import ClockReading
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import Task, state_at
from mock_server.domain.task_draws import TaskDraws
from mock_server.domain.window import Window


class SandboxTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """The initial values of every sandbox of a server, and the catalogue they share."""

    seed: int
    settings: SandboxSettings
    clock: ClockSettings
    models: Mapping[str, Model]
    fail_messages: Mapping[str, str]
    rules: tuple[RuleDefinition, ...] = ()
    profile_rules: tuple[RuleDefinition, ...] = ()


class SandboxState:
    """The complete state of a sandbox. Only the command handlers change it."""

    __slots__ = (
        "book",
        "changes",
        "clock",
        "deliveries",
        "dropped_tasks",
        "events",
        "id",
        "is_broke",
        "journal",
        "ledger",
        "ordinal",
        "origin",
        "rejected",
        "requests",
        "responses",
        "seed",
        "settings",
        "task_draws",
        "tasks",
        "template",
        "used_ms",
        "window",
    )  # fmt: skip

    def __init__(
        self, sandbox_id: str, template: SandboxTemplate, *, is_broke: bool, real_ms: int
    ) -> None:
        self.id = sandbox_id
        self.template = template
        self.is_broke = is_broke
        self.used_ms = real_ms  # The real instant of the last use.
        self.events: list[Event] = []  # Not published yet.
        self.changes = 0  # The number of changes of settings or rules, also by a reset.
        self.deliveries = Deliveries()
        self.begin(real_ms)

    def begin(self, real_ms: int) -> None:
        """Set the initial state."""
        template = self.template
        self.seed = template.seed
        self.origin = self.id  # The sandbox id from which chance is drawn.
        self.task_draws = TaskDraws(self.seed, self.origin)
        self.settings = template.settings
        self.clock = VirtualClock(template.clock.mode, template.clock.speed, real_ms)
        self.window = Window(self.settings.rate_limit)
        self.tasks: dict[str, Task] = {}
        self.ledger = Ledger(self.tasks, 0 if self.is_broke else self.settings.balance_microusd)
        self.deliveries = Deliveries(self.deliveries.claims)
        self.journal = Journal()
        self.book = RuleBook(self.seed, self.origin)
        self.book.replace(template.rules)
        self.book.replace_profile(self.settings.profile, template.profile_rules)
        self.ordinal = 0
        self.requests = 0
        self.rejected = 0
        # The number of responses by status, without callbacks.
        self.responses: defaultdict[int, int] = defaultdict(int)
        self.dropped_tasks = 0

    def enter(self, real_ms: int) -> int:
        """Mark the sandbox as used, settle a portion of what has ended, and return the instant.

        Thousands of tasks may have ended since the last command. If the result of a command
        depends on all of them, it calls `settle_more` or `settle`.
        """
        self.used_ms = real_ms
        now_ms = self.clock.now_ms(real_ms)
        if self.ledger.due_ms <= now_ms:
            self.settle(now_ms, PORTION)
        return now_ms

    def settle_more(self, now_ms: int) -> bool:
        """Settle another portion of what has ended by now; return False if nothing is left."""
        if self.ledger.due_ms > now_ms:
            return False
        self.settle(now_ms, PORTION)
        return True

    def settle(self, now_ms: int, limit: int | None = None) -> None:
        """Settle the tasks that have ended by now, at most `limit`, and record the event."""
        settled = self.ledger.settle(now_ms, limit)
        if settled:
            self.events.append(TasksEnded(settled))

    def end_task(self, task: Task, now_ms: int) -> Task:
        """End a task at this instant with its planned outcome; return the ended task."""
        ended = task.ended(now_ms)
        self.tasks[task.id] = ended
        self.ledger.expect(ended)
        self.settle(now_ms, PORTION)
        self.deliveries.reschedule(ended)
        return self.tasks[task.id]

    def described(self, rule_input: RuleInput, real_ms: int) -> RuleInput:
        """Return the rule input with the prompt and state of its task, if the task is known."""
        task = self.tasks.get(rule_input.task_id)
        if task is None:
            return rule_input
        state = state_at(task, self.clock.now_ms(real_ms))
        return msgspec.structs.replace(rule_input, prompt=task.prompt, state=state)

    def clock_reading(self, real_ms: int) -> ClockReading:
        clock = self.clock
        return ClockReading(mode=clock.mode, speed=clock.speed, now_ms=clock.now_ms(real_ms))

    def tell(self, change: Change) -> None:
        self.events.append(change)
        if change is Change.SETTINGS or change is Change.DROPPED:
            self.changes += 1

    def check_unchanged(self, known_changes: int) -> None:
        """Raise SandboxChanged unless this is the number of changes."""
        if self.changes != known_changes:
            raise SandboxChanged("the settings or rules of the sandbox have changed meanwhile")
