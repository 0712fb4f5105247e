"""The virtual clock of the caller's sandbox."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mock_server.control.answers import Instant
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.domain.commands import SetClock
from mock_server.domain.dispatching import (
    CallbackDispatcher,
    DeliveryAttempt,
    InstantTooLate,
    SandboxDropped,
)
from mock_server.domain.durations import Duration, checked_duration_ms
from mock_server.domain.errors import InvalidValue
from mock_server.domain.results import ClockReading
from mock_server.domain.sandbox_settings import Speed
from mock_server.domain.store import SandboxReader, Store


class ClockChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    mode: Literal["real", "manual"] | None = None
    speed: Speed | None = None


class Advance(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    seconds: Annotated[Duration, Meta(description="More than 0.")]


class Advanced(msgspec.Struct):
    from_ms: Instant
    now_ms: Instant
    fired: list[DeliveryAttempt]


class ClockResource:
    def __init__(
        self, store: Store, dispatcher: CallbackDispatcher, *, real_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._real_ms = real_ms

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/_mock/clock", self.show, "Read the clock"),
            Call("PUT", "/_mock/clock", self.change, "Change the clock's mode or speed"),
            Call(
                "POST",
                "/_mock/clock/advance",
                self.advance,
                "Advance the clock and wait for all callback attempts that become due",
                rejects=(409,),
            ),
        ]

    async def show(self, sandbox: SandboxReader) -> ClockReading:
        return sandbox.clock(self._real_ms())

    async def change(self, sandbox: SandboxReader, body: ClockChange) -> ClockReading:
        set_clock = SetClock(real_ms=self._real_ms(), mode=body.mode, speed=body.speed)
        reading = await self._store.execute(sandbox.id, set_clock)
        self._dispatcher.wake(sandbox.id)
        return reading

    async def advance(self, sandbox: SandboxReader, body: Advance) -> Advanced:
        try:
            by_ms = checked_duration_ms(body.seconds, "seconds")
        except InvalidValue as error:
            raise ControlError(400, str(error)) from error
        if by_ms == 0:
            raise ControlError(400, "seconds: must be more than 0 (got 0)")
        try:
            advanced = await self._dispatcher.advance(sandbox.id, by_ms)
        except InstantTooLate as error:
            raise ControlError(400, "seconds: would move the clock past the year 9999") from error
        except SandboxDropped as error:
            raise ControlError(409, "the sandbox was deleted while its clock advanced") from error
        return Advanced(
            from_ms=advanced.from_ms, now_ms=advanced.now_ms, fired=list(advanced.fired)
        )
