"""The virtual clock of a sandbox: real, faster, slower or manual. It never goes back."""

from typing import Literal, Self

import msgspec

Mode = Literal["real", "manual"]

LATEST_MS = 253_402_300_799_000  # The last second of the year 9999; Python has no later date.


class ClockCheckpoint(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The exact state of a clock."""

    mode: Mode
    speed: float
    base_ms: int
    base_real_ms: int
    holder: str | None


class VirtualClock:
    """Maps the real instant to the sandbox's instant. Both are Unix milliseconds.

    `speed` is the number of virtual seconds per real second in the mode `real`. While a process
    holds the clock, it stands still in every mode; `holder` is this process, or None.
    `base_real_ms` is the real instant of the last change: earlier ones are not valid.
    """

    __slots__ = ("_base_ms", "_lag_ms", "_pace", "base_real_ms", "holder", "mode", "speed")

    def __init__(self, mode: Mode, speed: float, real_ms: int, now_ms: int | None = None) -> None:
        self.mode: Mode = mode
        self.speed = speed
        self._base_ms = real_ms if now_ms is None else now_ms
        self.base_real_ms = real_ms
        self.holder: str | None = None
        self._set_pace()

    def checkpoint(self) -> ClockCheckpoint:
        return ClockCheckpoint(
            mode=self.mode,
            speed=self.speed,
            base_ms=self._base_ms,
            base_real_ms=self.base_real_ms,
            holder=self.holder,
        )

    @classmethod
    def of_checkpoint(cls, kept: ClockCheckpoint) -> Self:
        clock = cls(kept.mode, kept.speed, kept.base_real_ms, kept.base_ms)
        clock.holder = kept.holder
        clock._set_pace()
        return clock

    def now_ms(self, real_ms: int) -> int:
        if self._pace == 1:
            now_ms = real_ms - self._lag_ms
        else:
            now_ms = self._base_ms + int((real_ms - self.base_real_ms) * self._pace)
        return now_ms if now_ms < LATEST_MS else LATEST_MS  # noqa: FURB136  # hot

    def set(self, mode: Mode, speed: float, real_ms: int) -> None:
        """Change mode and speed; the clock continues from its current instant."""
        self._rebase(real_ms)
        self.mode = mode
        self.speed = speed
        self._set_pace()

    def hold(self, owner: str, real_ms: int) -> bool:
        """Stop the clock in every mode, so that only its holder moves it.

        Return False if another owner holds it.
        """
        if self.is_held_from(owner):
            return False
        self._rebase(real_ms)
        self.holder = owner
        self._set_pace()
        return True

    def is_held_from(self, owner: str) -> bool:
        """Tell whether another owner holds the clock."""
        return self.holder is not None and self.holder != owner

    def move_to(self, instant_ms: int, owner: str) -> bool:
        """Move the clock to this instant, unless it is already later.

        Return False if this owner does not hold the clock.
        """
        if self.holder != owner:
            return False
        self._base_ms = max(self._base_ms, instant_ms)
        return True

    def release(self, owner: str, real_ms: int) -> None:
        """Let a clock that this owner holds continue from its current instant."""
        if self.holder == owner:
            self.base_real_ms = real_ms
            self.holder = None
            self._set_pace()

    def real_wait_s(self, instant_ms: int, real_ms: int) -> float | None:
        """Return the real seconds until this instant; None if the clock is held or manual."""
        wait_ms = instant_ms - self.now_ms(real_ms)
        if wait_ms <= 0:
            return 0.0
        return wait_ms / self._pace / 1000 if self._pace else None

    def _set_pace(self) -> None:
        """Set the current number of virtual seconds per real second."""
        is_still = self.holder is not None or self.mode == "manual"
        self._pace = 0.0 if is_still else self.speed
        self._lag_ms = self.base_real_ms - self._base_ms  # Constant as long as the pace is 1.

    def _rebase(self, real_ms: int) -> None:
        self._base_ms = self.now_ms(real_ms)
        self.base_real_ms = real_ms
