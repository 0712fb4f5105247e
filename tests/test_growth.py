"""The comparison of times notices work that grows too fast, and ignores other programs."""

from collections.abc import Callable
from itertools import count

import pytest

from tests.growth import growth


class Machine:
    """Work on a machine whose clock is counted, and which is sometimes busy with other things."""

    def __init__(self, busy_s: float = 0) -> None:
        self.now_s = 0.0
        self._busy_s = busy_s
        self._calls = count()

    def work(self, duration_s: float) -> Callable[[], None]:
        def run() -> None:
            self.now_s += duration_s
            if next(self._calls) % 3:
                self.now_s += self._busy_s

        return run

    def clock(self) -> float:
        return self.now_s


@pytest.mark.parametrize("busy_s", [0, 1, 100])
def test_quadratic_work_is_noticed(busy_s: float) -> None:
    machine = Machine(busy_s)

    assert growth(machine.work(1), machine.work(64), 24, machine.clock) == pytest.approx(64)


@pytest.mark.parametrize("busy_s", [0, 1, 100])
def test_linear_work_is_not_mistaken_for_quadratic_work(busy_s: float) -> None:
    machine = Machine(busy_s)

    assert growth(machine.work(1), machine.work(8), 24, machine.clock) < 24
