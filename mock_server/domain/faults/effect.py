"""The effect of a rule on the requests and callbacks that it matches."""

from functools import cached_property

import msgspec

from mock_server.domain.faults.callback import CallbackEffect
from mock_server.domain.faults.injected import FaultKind, Injected, fault_text
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.latency import Latency
from mock_server.domain.operation import Operation
from mock_server.domain.outcome import Outcome
from mock_server.domain.task import TaskState

_EVERYWHERE = frozenset(Operation)
_REQUESTS = _EVERYWHERE - {Operation.CALLBACK}


class RuleRejection(msgspec.Struct, frozen=True, kw_only=True):
    """The error response that a request gets instead of being handled."""

    status: int
    message: str
    detail: str | None = None
    fail_code: str | None = None  # FAIL-6
    has_data: bool = True  # Whether the envelope has the member `data` (ENV-2).
    retry_after_s: int | None = None
    is_date: bool = False  # `Retry-After` as an HTTP date

    @property
    def name(self) -> str:
        """The status, and the fail code if there is one."""
        return f"{self.status} {self.fail_code}" if self.fail_code else str(self.status)


class Effect(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The `apply` of a rule."""

    outcome: Outcome | None = None
    rejection: RuleRejection | None = None
    latency: Latency | None = None
    wire: WireFault | None = None
    meaning: MeaningFault | None = None
    callback: CallbackEffect | None = None

    @cached_property
    def operations(self) -> frozenset[Operation]:
        """The operations to which the whole effect can be applied."""
        operations = _EVERYWHERE
        if self.outcome:
            operations &= {Operation.SUBMIT}
        if self.rejection or self.wire:
            operations &= _REQUESTS
        if self.rejection and self.rejection.fail_code:
            operations &= {Operation.SUBMIT}
        if self.meaning:
            operations &= {self.meaning.traits.operation}
        if self.callback:
            operations &= {Operation.CALLBACK}
        return operations

    @cached_property
    def injected(self) -> tuple[Injected, ...]:
        """The faults that the journal and the headers show when the effect was applied."""
        injected = []
        if self.outcome:
            injected.append(Injected(FaultKind.OUTCOME, self.outcome.fail or "steered"))
        if self.rejection:
            injected.append(Injected(FaultKind.REFUSE, self.rejection.name))
        if self.latency:
            injected.append(Injected(FaultKind.LATENCY))
        if self.wire:
            injected.append(Injected(FaultKind.WIRE, self.wire.value))
        if self.meaning:
            injected.append(Injected(FaultKind.MEANING, self.meaning.value))
        if self.callback:
            injected.append(Injected(FaultKind.CALLBACK, self.callback.fault.value))
        return tuple(injected)

    @cached_property
    def fault(self) -> str:
        """The text of `injected`."""
        return fault_text(self.injected)

    @property
    def always_shows(self) -> bool:
        """Whether it changes every response, even one that a meaning fault cannot change."""
        return self.wire is not None or self.latency is not None

    def can_apply(self, state: TaskState | None, *, is_early: bool) -> bool:
        """Tell whether it can change a request or callback about a task in this state.

        With `is_early`, tell whether it sends the callback before the submit is answered.
        """
        is_for_early = self.callback is not None and self.callback.fault.traits.is_early
        if is_for_early != is_early:
            return False
        return self.meaning is None or self.meaning.can_apply(state)
