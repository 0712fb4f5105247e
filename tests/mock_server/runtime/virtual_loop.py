"""An event loop whose time passes at once: hours of waiting take milliseconds."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")


class _NoWaiting(selectors.DefaultSelector):
    """Lets the loop's time pass instead of waiting for it."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("every task waits, and nothing will ever end that")
        self.now_s += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waits for nothing: when all tasks sleep, it is the instant at which the next one wakes."""

    def __init__(self) -> None:
        self._no_waiting = _NoWaiting()
        super().__init__(self._no_waiting)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.set_task_factory(self._new_task)

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """Return a task that lives until it is done or cancelled.

        asyncio only has weak references, so a task of a killed process, which waits for nothing
        that happens, might be collected before the end of the loop cancels it.
        """
        task = asyncio.Task(coro, loop=loop, **options)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def time(self) -> float:
        return self._no_waiting.now_s


def run_virtually(main: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine in a virtual loop of its own and return its result.

    At the end, the loop cancels all tasks. Nothing may begin another one then: asyncio would log an
    error when it is collected, which may be during any later test.
    """
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(main)
    assert not loop.tasks, "a task began while the loop ended"
    return result
