"""The virtual clock of a sandbox: real, faster, slower or manual. It never goes back."""

from typing import Literal

Mode = Literal["real", "manual"]

LATEST_MS = 253_402_300_799_000  # The last second of the year 9999; Python has no later date.


class VirtualClock:
    """Maps the real instant to the sandbox's instant. Both are Unix milliseconds.

    `speed` is the number of virtual seconds per real second in the mode `real`.
    """

    __slots__ = ("_base_ms", "_base_real_ms", "_is_held", "_lag_ms", "_pace", "mode", "speed")

    def __init__(self, mode: Mode, speed: float, real_ms: int, now_ms: int | None = None) -> None:
        self.mode: Mode = mode
        self.speed = speed
        self._base_ms = real_ms if now_ms is None else now_ms
        self._base_real_ms = real_ms
        self._is_held = False
        self._set_pace()

    def now_ms(self, real_ms: int) -> int:
        if self._pace == 1:
            now_ms = real_ms - self._lag_ms
        else:
            now_ms = self._base_ms + int((real_ms - self._base_real_ms) * self._pace)
        return now_ms if now_ms < LATEST_MS else LATEST_MS  # noqa: FURB136  # hot

    def set(self, mode: Mode, speed: float, real_ms: int) -> None:
        """Change mode and speed; the clock continues from its current instant."""
        self._rebase(real_ms)
        self.mode = mode
        self.speed = speed
        self._set_pace()

    def hold(self, real_ms: int) -> None:
        """Stop the clock in every mode, so that `move_to` alone moves it."""
        self._rebase(real_ms)
        self._is_held = True
        self._set_pace()

    def move_to(self, instant_ms: int) -> None:
        """Move a held clock to this instant, unless it is already later."""
        self._base_ms = max(self._base_ms, instant_ms)

    def release(self, real_ms: int) -> None:
        """Let a held clock continue from its current instant."""
        if self._is_held:
            self._base_real_ms = real_ms
            self._is_held = False
            self._set_pace()

    def real_wait_s(self, instant_ms: int, real_ms: int) -> float | None:
        """Return the real seconds until this instant; None if the clock is held or manual."""
        wait_ms = instant_ms - self.now_ms(real_ms)
        if wait_ms <= 0:
            return 0.0
        return wait_ms / self._pace / 1000 if self._pace else None

    def _set_pace(self) -> None:
        """Set the current number of virtual seconds per real second."""
        self._pace = 0.0 if self._is_held or self.mode == "manual" else self.speed
        self._lag_ms = self._base_real_ms - self._base_ms  # Constant as long as the pace is 1.

    def _rebase(self, real_ms: int) -> None:
        self._base_ms = self.now_ms(real_ms)
        self._base_real_ms = real_ms
