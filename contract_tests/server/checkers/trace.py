"""What happened between a client and a server, in order: the input of all checkers.

A trace is made from the events of a case, or of any other recorded traffic, and knows neither the
case nor its probe. Checkers only read it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from contract_tests.server.checkers.json_values import ABSENT, decoded, members_of
from contract_tests.server.checkers.operations import Operation
from contract_tests.server.checkers.orders import Order
from contract_tests.server.events import Burst, Delivery, HttpExchange, Request, Response
from contract_tests.server.target import Target

_TROUBLE: Final = frozenset({402, 403, 429, *range(500, 600)})


class Moment(msgspec.Struct, frozen=True):
    """An instant of the service's clock in milliseconds: exactly known, or between two bounds.

    With a manual clock both bounds are its instant. Otherwise they are the real instants between
    which the exchange took place, on the clock of this machine.
    """

    low_ms: int
    high_ms: int

    @property
    def is_exact(self) -> bool:
        return self.low_ms == self.high_ms


class Sandbox:
    """What one API key did until it was reset; `settings` are those at the end.

    Attributes:
        steps: All exchanges, bursts and control calls of this key, in order.
        is_plain: Whether all that the control plane did here is understood. Otherwise nothing in
            the sandbox is judged.
        has_outcomes: Whether rules decide how tasks end.
        starts_empty: Whether nothing happened in it before the first event.
    """

    def __init__(self, key: str, settings: Mapping[str, Any], *, starts_empty: bool) -> None:
        self.key = key
        self.settings = settings
        self.steps: list[Step] = []
        self.tasks: dict[str, Task] = {}
        self.is_plain = True
        self.has_outcomes = False
        self.starts_empty = starts_empty


class Step:
    """One event in a sandbox; `at` is None if the instant on the service's clock is unknown."""

    def __init__(
        self, number: int, sandbox: Sandbox | None, at: Moment | None, settings: Mapping[str, Any]
    ) -> None:
        self.number = number
        self.sandbox = sandbox
        self.at = at
        self.settings = settings

    @property
    def is_judged(self) -> bool:
        """Whether checkers may judge the step, because nothing falsified it on purpose."""
        return self.sandbox is None or self.sandbox.is_plain


class Exchange(Step):
    """A request to the provider with its response; `task` is the one that it is about.

    For a download, `position` is that of the URL in the result of the task.
    """

    def __init__(
        self,
        event: HttpExchange,
        operation: Operation,
        number: int,
        sandbox: Sandbox | None,
        at: Moment | None,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(number, sandbox, at, settings)
        self.request: Request = event.request
        self.response: Response = event.response
        self.operation = operation
        self.task: Task | None = None
        self.position = 0

    @property
    def status(self) -> int:
        return self.response.status

    @cached_property
    def json(self) -> Any:
        """The decoded body, or ABSENT if it is not JSON."""
        return decoded(self.response.body)

    @property
    def data(self) -> Any:
        """The envelope's `data`, or ABSENT."""
        return self.json.get("data", ABSENT) if isinstance(self.json, dict) else ABSENT

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of `data`, or none if it is not an object."""
        return members_of(self.data)

    @property
    def error_text(self) -> str:
        """The texts of an error: its message, and the detail in `data`."""
        if not isinstance(self.json, dict):
            return ""
        return f"{self.json.get('message')} {self.json.get('data')}"

    @cached_property
    def order(self) -> Order:
        """What a submit orders."""
        return Order(self.request, self.settings)


class Flood(Step):
    """A burst of the same request."""

    def __init__(
        self,
        event: Burst,
        operation: Operation,
        number: int,
        sandbox: Sandbox | None,
        at: Moment | None,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(number, sandbox, at, settings)
        self.event = event
        self.operation = operation


class Control(Step):
    """A call to the control plane that changed something; `started_at` is the instant before."""

    def __init__(  # as the other steps
        self,
        event: HttpExchange,
        action: str,
        number: int,
        sandbox: Sandbox | None,
        at: Moment | None,
        settings: Mapping[str, Any],
        started_at: Moment | None,
    ) -> None:
        super().__init__(number, sandbox, at, settings)
        self.action = action
        self.request = event.request
        self.response = event.response
        self.started_at = started_at


class Callback:
    """A delivery; `number` is the first event that shows it, `task` is the one that it names."""

    def __init__(self, delivery: Delivery, name: str, number: int) -> None:
        self.delivery = delivery
        self.name = name
        self.number = number
        self.task: Task | None = None

    @cached_property
    def json(self) -> Any:
        """The decoded body, or ABSENT if it is not JSON."""
        return decoded(self.delivery.body)

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of `data`, or none if it is not an object."""
        return members_of(members_of(self.json).get("data"))

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next(
            (value for each, value in self.delivery.headers if each.lower() == wanted), None
        )


class Task:
    """An accepted submit, and everything that was seen of the task."""

    def __init__(self, task_id: str, submit: Exchange, sandbox: Sandbox) -> None:
        self.id = task_id
        self.submit = submit
        self.sandbox = sandbox
        self.sightings: list[Exchange] = []
        """The status responses with a `data` object, to requests of the task's own key."""
        self.callbacks: list[Callback] = []
        self.forced: Control | None = None
        """The control call that ended it."""

    @property
    def order(self) -> Order:
        return self.submit.order

    @cached_property
    def finals(self) -> Sequence[Exchange]:
        """The sightings from the first final state on."""
        for index, seen in enumerate(self.sightings):
            if seen.members.get("state") in ("success", "failed"):
                return self.sightings[index:]
        return ()

    @cached_property
    def last_unfinished(self) -> Exchange | None:
        """The last sighting before the first final one, if there is one."""
        count = len(self.sightings) - len(self.finals)
        return self.sightings[count - 1] if count else None

    @cached_property
    def end_state(self) -> str | None:
        """The final state, as a status response or a callback told it first."""
        if self.finals:
            return str(self.finals[0].members["state"])
        for callback in self.callbacks:
            state = callback.members.get("state")
            if state in ("success", "failed"):
                return str(state)
        return None


class Trace:
    """Everything that happened, as the checkers read it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.exchanges: list[Exchange] = []
        """All requests to the provider, and downloads, in order."""
        self.sandboxes: list[Sandbox] = []
        self.tasks: list[Task] = []
        """All accepted tasks, in order."""
        self.callbacks: list[Callback] = []
        """All deliveries; those at one name are in the order of their arrival."""
        self.looks: dict[str, float] = {}
        """The number of the last event that shows the callbacks at a name."""
        self.has_all_callbacks = False
        """Whether all callbacks that arrived until the end are in the trace."""

    @property
    def has_control(self) -> bool:
        return self.target.has_control

    def looked_at(self, name: str) -> float:
        """Return until which event all callbacks at a name are known; -1 if none is."""
        return float("inf") if self.has_all_callbacks else self.looks.get(name, -1)

    @property
    def judged(self) -> Sequence[Exchange]:
        """The exchanges that got a response and that no rule falsified.

        A live service in trouble, or a gateway before it, has violated nothing.
        """
        return [
            each
            for each in self.exchanges
            if each.is_judged
            and each.status
            and not (self.target.is_live and each.status in _TROUBLE)
        ]
