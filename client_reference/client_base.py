"""The common base of both clients: their constructor and the documentation of their methods.

The methods are documented only here. `help()` and editors show these texts for both clients.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Unpack

import httpx

from client_reference.calls import Calls
from client_reference.connection import Connection
from client_reference.errors import ApixoError
from client_reference.keywords import (
    GenerateKeywords,
    GenerateManyKeywords,
    SubmitKeywords,
    WaitKeywords,
)
from client_reference.polling import Polling, choose_polling
from client_reference.steady_time import steady_time
from client_reference.steps import Fetch, Send
from client_reference.task import Generation, Task

_log = logging.getLogger("client_reference")


class ClientBase(ABC):
    """The methods of `Client`, which blocks, and of `AsyncClient`, which is awaited."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        max_retries: int = 4,
        retry_submit: bool = False,
        polling: Polling | None = None,
        poll_after_s: float | None = None,
        poll_every_s: float | None = None,
        clock: Callable[[], float] = steady_time,
        user_agent: str | None = None,
    ) -> None:
        """Create a client.  An invalid value raises ValueError, which names the argument.

        `api_key` defaults to the variable APIXO_API_KEY; one of them is required (AUTH-1).
        `base_url` defaults to the variable APIXO_BASE_URL, then to the public service.
        `timeout` is the time limit of one request, in seconds (default 30).
        `max_retries` is the maximum number of retries of a request (default 4).
        `retry_submit` also retries a submit that may have been accepted (default False).
        `poll_after_s` is the time from a submit to its first status request, in seconds, and
        `poll_every_s` the pause between two status requests (default: as the service advises, after
        20 s and every 3 s, TIM-2).  A mock answers sooner: use short times for it.
        `polling` sets the whole schedule instead of these two.
        `clock` returns epoch seconds (default: real time, without later changes of the machine's
        clock), and `sleep` waits for a number of seconds (default: real).
        `transport` is an httpx transport that replaces the default one.  `http_client` is an httpx
        client that replaces the default one; you must close it yourself.
        `user_agent` is the value of the header User-Agent.
        """
        self._connection = Connection(api_key, base_url, user_agent)
        self._calls = Calls(
            clock=clock,
            timeout=timeout,
            max_retries=max_retries,
            retry_submit=retry_submit,
            polling=choose_polling(polling, poll_after_s, poll_every_s),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connection})"

    @abstractmethod
    def close(self) -> object:
        """Close the connections, but not those of an `http_client` that was passed in."""

    @abstractmethod
    def submit(self, prompt: str, **options: Unpack[SubmitKeywords]) -> object:
        """Create a task and return it at once (SUB-1 … SUB-14).

        `prompt` is a text of 1 to 10,000 characters (SUB-9).
        `aspect_ratio` is "1:1" (default), "3:2" or "2:3" (SUB-10).
        `num_images` is 1 (default), 2 or 4; each is billed (SUB-11, BIL-1).
        `image_urls` are up to 5 reference images, as http, https or data URLs (SUB-12).
        `provider` is the routing: "auto" (default), "value" or "official" (SUB-6).
        `callback_url` is the URL to which the service posts the ended task (default: none, CB-1).

        Raises ValueError before it sends a request, if the service would reject a value.  Raises
        SubmissionUncertain if the task may have been accepted but its id is unknown.
        """

    @abstractmethod
    def status(self, task_id: str) -> object:
        """Return the current state of a task (STA-1 … STA-10); raise NotFound if it is unknown."""

    @abstractmethod
    def wait(self, task: Task | str, **options: Unpack[WaitKeywords]) -> object:
        """Wait until a task has ended and return it, whether it succeeded or failed (TIM-2).

        `task` is a task or its id.
        `timeout` is the maximum time to wait, in seconds (default 300).
        `on_update` is called with the task of each response.

        Raises WaitTimeout, which has the task, so that you can wait again.
        """

    @abstractmethod
    def generate(self, prompt: str, **options: Unpack[GenerateKeywords]) -> object:
        """Submit a prompt, wait for the task to end, and return the URLs of its images.

        `aspect_ratio`, `num_images`, `image_urls`, `provider` and `callback_url` are those of
        `submit`; `timeout` and `on_update` are those of `wait`.
        `via` is "polling" (default) or "callback".  With "callback", the client polls only if no
        callback has arrived after twice the usual duration.
        `receiver` is the CallbackReceiver for the callback; it is required for "callback".

        Raises TaskFailed if the task fails.  Every error after the submit has the task.
        """

    @abstractmethod
    def generate_many(
        self, prompts: Iterable[str], **options: Unpack[GenerateManyKeywords]
    ) -> object:
        """Generate images for each prompt, and yield each BatchResult as soon as it is available.

        `aspect_ratio`, `num_images`, `image_urls` and `provider` are those of `submit`.
        `concurrency` is the maximum number of tasks in progress, 1 to 1,000 (default 50).
        `timeout` is the time limit of each task from its submit, in seconds (default 300).
        `on_update` is called with the task of each response.

        The batch stays below the limits of the API key, and submits less while the service returns
        429 (LIM-1, LIM-2).  An error of a prompt is in its result and does not affect others.  An
        error from `prompts` or `on_update` is raised after the results of the tasks in progress.
        """

    @abstractmethod
    def download(self, generation: Generation, directory: str | PathLike[str]) -> object:
        """Save every image in the directory, which is created if needed (RES-1 … RES-3).

        Returns the paths in the order of the URLs.  A file gets its name only when it is complete.
        Raises ResultExpired for expired results, and UnexpectedResponse for a file that is not an
        image of its declared type.
        """

    @abstractmethod
    def balance(self) -> object:
        """Return the balance of this API key in US dollars (BIL-2)."""

    def _log(self, step: Send | Fetch, outcome: httpx.Response | ApixoError, took_s: float) -> None:
        _log.debug("%s", self._connection.log_line(step, outcome, took_s))


def check_transport(transport: object, http_client: object) -> None:
    """Raise ValueError if both a transport and an httpx client are given."""
    if transport is not None and http_client is not None:
        raise ValueError("transport: pass it to your http_client instead")
