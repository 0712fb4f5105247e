"""Reads what the methods of both clients are given."""

import math
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from client_reference.callbacks import Receiver
from client_reference.conversations import Api, Received
from client_reference.polling import Polling
from client_reference.task import Task
from client_reference.timeline import Timeline

Via: TypeAlias = Literal["polling", "callback"]
_LONGEST_S = 1e9  # about 30 years, so that sums stay sensible


def api_of(  # what a client is constructed with
    *,
    clock: Callable[[], float],
    timeout: float,
    max_retries: int,
    retry_submit: bool,
    polling: Polling | None,
) -> Api:
    if type(max_retries) is not int or max_retries < 0:
        raise ValueError("max_retries: must be a whole number, 0 or more")
    if seconds("timeout", timeout) == 0:
        raise ValueError("timeout: must be more than 0 seconds")
    return Api(
        clock=clock,
        timeout_s=timeout,
        max_retries=max_retries,
        retry_submit=retry_submit,
        polling=Polling() if polling is None else polling,
    )


def seconds(name: str, value: float) -> float:
    if type(value) not in {int, float} or not math.isfinite(value) or not 0 <= value <= _LONGEST_S:
        raise ValueError(f"{name}: must be a number of seconds, 0 or more")
    return value


def deadline_s(timeline: Timeline, timeout: float) -> float:
    return timeline.now_s() + seconds("timeout", timeout)


def known_task(task: Task | str) -> Task:
    return Task(id=task) if isinstance(task, str) else task


def callback_of(
    via: str, receiver: Receiver | None, callback_url: str | None
) -> tuple[str | None, Received | None]:
    """Return the callback address to submit, and where its callback will be seen."""
    if via not in {"polling", "callback"}:
        raise ValueError(f"via: must be polling or callback, not {via!r:.60}")
    if via == "polling":
        if receiver is not None:
            raise ValueError('receiver: is used with via="callback" only')
        return callback_url, None
    if receiver is None:
        raise ValueError('receiver: is needed for via="callback"')
    return callback_url or receiver.url, receiver.received


def each_of(prompts: Iterable[str]) -> Iterable[str]:
    if isinstance(prompts, str | bytes) or not isinstance(prompts, Iterable):
        raise ValueError("prompts: must be a list of prompts, not one of them")  # noqa: TRY004
    return prompts
