"""A mock server with a bug for each check of a soak test, except the one of memory."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import wraps
from itertools import count
from typing import Any

from benchmarks.soak.observed_server import run
from mock_server.control.resources.tasks import TasksResource
from mock_server.domain.deliveries import Deliveries
from mock_server.domain.task import Task

_numbers = count(1)
_leaked: list[object] = []


def _losing(open_delivery: Callable[[Deliveries, Task, str], None]) -> Any:
    """Open no delivery for every other task."""

    def open_some(deliveries: Deliveries, task: Task, url: str) -> None:
        if next(_numbers) % 2:
            open_delivery(deliveries, task, url)

    return open_some


def _leaking(show_all: Callable[..., Awaitable[Any]]) -> Any:
    """Leak a descriptor and a task each time; fail every other time."""

    @wraps(show_all)  # The control plane reads the signature.
    async def show(resource: TasksResource, *args: Any, **kwargs: Any) -> Any:
        _leaked.append(os.open(os.devnull, os.O_RDONLY))
        _leaked.append(asyncio.create_task(asyncio.Event().wait()))
        if len(_leaked) % 4:
            raise RuntimeError("a bug")
        return await show_all(resource, *args, **kwargs)

    return show


if __name__ == "__main__":
    Deliveries.open = _losing(Deliveries.open)  # type: ignore[method-assign]
    TasksResource.show_all = _leaking(TasksResource.show_all)  # type: ignore[method-assign]
    run()
