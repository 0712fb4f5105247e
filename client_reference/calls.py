"""Make the flow of each client method from the caller's arguments."""

import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Unpack

from client_reference.batch import Batch, BatchInput
from client_reference.callbacks import Receiver
from client_reference.conversations import Api, OnUpdate, Received
from client_reference.downloading import Download
from client_reference.keywords import ImageKeywords, Via
from client_reference.limiter import Limiter
from client_reference.polling import Polling
from client_reference.steps import Flow
from client_reference.submission import ImageOptions, Submission
from client_reference.task import Generation, Task
from client_reference.timeline import Timeline

_LONGEST_S = 1e9  # About 30 years: longer times would make instants inexact.


class Calls:
    """Validates arguments and returns flows; an invalid argument raises ValueError at once."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        timeout: float,
        max_retries: int,
        retry_submit: bool,
        polling: Polling,
    ) -> None:
        if type(max_retries) is not int or max_retries < 0:
            raise ValueError(
                f"max_retries: must be an integer, 0 or more (got {max_retries!r:.60})"
            )
        if _check_seconds("timeout", timeout) == 0:
            raise ValueError("timeout: must be more than 0 seconds")
        self._api = Api(
            clock=clock,
            timeout_s=timeout,
            max_retries=max_retries,
            retry_submit=retry_submit,
            polling=polling,
        )

    def submit(
        self, prompt: str, *, callback_url: str | None = None, **images: Unpack[ImageKeywords]
    ) -> Flow[Task]:
        submission = Submission(
            prompt=prompt, images=ImageOptions(**images), callback_url=callback_url
        )
        return self._api.submit(submission, self._api.timeline())

    def status(self, task_id: str) -> Flow[Task]:
        return self._api.status(task_id, self._api.timeline())

    def wait(
        self, task: Task | str, *, timeout: float = 300.0, on_update: OnUpdate | None = None
    ) -> Flow[Task]:
        timeline = self._api.timeline()
        known = Task(id=task) if isinstance(task, str) else task
        return self._api.wait(known, timeline, _deadline_s(timeline, timeout), on_update)

    def generate(
        self,
        prompt: str,
        *,
        timeout: float = 300.0,
        on_update: OnUpdate | None = None,
        via: Via = "polling",
        receiver: Receiver | None = None,
        callback_url: str | None = None,
        **images: Unpack[ImageKeywords],
    ) -> Flow[Generation]:
        submission = Submission(
            prompt=prompt,
            images=ImageOptions(**images),
            callback_url=_callback_url(via, receiver, callback_url),
        )
        received: Received | None = None if receiver is None else receiver.received
        timeline = self._api.timeline()
        deadline_s = _deadline_s(timeline, timeout)
        return self._api.generate(submission, timeline, deadline_s, on_update, received)

    def generate_many(
        self,
        prompts: Iterable[str],
        *,
        concurrency: int = 50,
        timeout: float = 300.0,
        on_update: OnUpdate | None = None,
        **images: Unpack[ImageKeywords],
    ) -> Batch:
        return Batch(
            self._api,
            BatchInput(prompts, on_update),
            images=ImageOptions(**images),
            limiter=Limiter(concurrency),
            timeout_s=_check_seconds("timeout", timeout),
        )

    def download(self, generation: Generation, directory: str | PathLike[str]) -> Flow[list[Path]]:
        download = Download(
            self._api.timeline(),
            timeout_s=self._api.timeout_s,
            max_retries=self._api.max_retries,
        )
        return download.save_all(generation, Path(directory))

    def balance(self) -> Flow[Decimal]:
        return self._api.balance(self._api.timeline())


def _check_seconds(name: str, value: float) -> float:
    if type(value) not in {int, float} or not math.isfinite(value) or not 0 <= value <= _LONGEST_S:
        raise ValueError(f"{name}: must be a number of seconds, 0 or more (got {value!r:.60})")
    return value


def _deadline_s(timeline: Timeline, timeout: float) -> float:
    return timeline.now_s() + _check_seconds("timeout", timeout)


def _callback_url(via: str, receiver: Receiver | None, callback_url: str | None) -> str | None:
    """Return the URL for the callback, or None."""
    if via not in {"polling", "callback"}:
        raise ValueError(f"via: must be polling or callback (got {via!r:.60})")
    if via == "polling":
        if receiver is not None:
            raise ValueError('receiver: is allowed with via="callback" only')
        return callback_url
    if receiver is None:
        raise ValueError('receiver: is required with via="callback"')
    return callback_url or receiver.url
