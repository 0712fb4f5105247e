"""The client for ordinary code."""

import logging
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from decimal import Decimal
from os import PathLike
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import httpx

from client_reference import workers
from client_reference.batch import Batch, BatchResult
from client_reference.callbacks import Receiver
from client_reference.caller import Caller
from client_reference.connection import (
    DOWNLOAD_S,
    HTTP_ERRORS,
    Body,
    Identity,
    Patience,
    error_of,
)
from client_reference.conversations import OnUpdate
from client_reference.downloading import download
from client_reference.errors import ApixoError
from client_reference.options import (
    Via,
    api_of,
    callback_of,
    deadline_s,
    each_of,
    known_task,
    seconds,
)
from client_reference.polling import Polling
from client_reference.steps import Done, Fetch, Flow, Send, Sleep, T, advance
from client_reference.submission import Submission
from client_reference.task import Generation, Task

# A pool that closes connections while threads wait for one may close one in use.
_POOL = httpx.Limits(max_connections=500, max_keepalive_connections=500)

_log = logging.getLogger("client_reference")


class Client:
    """Talks to the service; one client can serve many threads.

    `api_key` and `base_url` come from APIXO_API_KEY and APIXO_BASE_URL where they are not given;
    `timeout` is what one request may take, in seconds.  A `transport`, or a whole `http_client`
    which stays the caller's to close, replaces how requests are made; `clock` (epoch seconds) and
    `sleep` replace time.  A value that does not fit raises ValueError, which names it.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        max_retries: int = 4,
        retry_submit: bool = False,
        polling: Polling | None = None,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        user_agent: str | None = None,
    ) -> None:
        self._identity = Identity(api_key, base_url, user_agent)
        self._api = api_of(
            clock=clock,
            timeout=timeout,
            max_retries=max_retries,
            retry_submit=retry_submit,
            polling=polling,
        )
        if transport is not None and http_client is not None:
            raise ValueError("transport: give it to your http_client instead")
        self._sleep = sleep
        self._is_ours = http_client is None
        self._http = (
            httpx.Client(transport=transport, limits=_POOL) if http_client is None else http_client
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._identity})"

    def close(self) -> None:
        """Close the connections, but not those of an `http_client` that was given."""
        if self._is_ours:
            self._http.close()

    def submit(
        self,
        prompt: str,
        *,
        aspect_ratio: str = "1:1",
        num_images: int = 1,
        image_urls: Iterable[str] = (),
        provider: str = "auto",
        callback_url: str | None = None,
    ) -> Task:
        """Create a task and return at once (SUB-1 … SUB-14).

        Raises ValueError, before anything is sent, for a value that the service would refuse, and
        SubmissionUncertain when the task may have been accepted without our knowing its id.
        """
        submission = Submission.of(
            prompt,
            aspect_ratio=aspect_ratio,
            num_images=num_images,
            image_urls=image_urls,
            provider=provider,
            callback_url=callback_url,
        )
        return self._run(self._api.submit(submission, self._api.timeline()))

    def status(self, task_id: str) -> Task:
        """Ask once how a task is doing (STA-1 … STA-10)."""
        return self._run(self._api.status(task_id, self._api.timeline()))

    def wait(
        self, task: Task | str, *, timeout: float = 300.0, on_update: OnUpdate | None = None
    ) -> Task:
        """Return the task once it has ended, in success or not (TIM-2).

        `on_update` is called with each answer.  Raises WaitTimeout after `timeout` seconds; it
        keeps the task, which can be waited for again.
        """
        timeline = self._api.timeline()
        until_s = deadline_s(timeline, timeout)
        return self._run(self._api.wait(known_task(task), timeline, until_s, on_update))

    def generate(
        self,
        prompt: str,
        *,
        aspect_ratio: str = "1:1",
        num_images: int = 1,
        image_urls: Iterable[str] = (),
        provider: str = "auto",
        callback_url: str | None = None,
        timeout: float = 300.0,
        on_update: OnUpdate | None = None,
        via: Via = "polling",
        receiver: Receiver | None = None,
    ) -> Generation:
        """Submit, wait, and return the addresses of the pictures.

        With `via="callback"` and a served receiver the end is told by callback; when none has come
        twice the usual duration after the submit, by polling.  Raises TaskFailed when the task
        fails; every error raised after the submit keeps the task.
        """
        address, received = callback_of(via, receiver, callback_url)
        submission = Submission.of(
            prompt,
            aspect_ratio=aspect_ratio,
            num_images=num_images,
            image_urls=image_urls,
            provider=provider,
            callback_url=address,
        )
        timeline = self._api.timeline()
        until_s = deadline_s(timeline, timeout)
        return self._run(self._api.generate(submission, timeline, until_s, on_update, received))

    def generate_many(
        self,
        prompts: Iterable[str],
        *,
        concurrency: int = 50,
        aspect_ratio: str = "1:1",
        num_images: int = 1,
        image_urls: Iterable[str] = (),
        provider: str = "auto",
        timeout: float = 300.0,
        on_update: OnUpdate | None = None,
    ) -> Generator[BatchResult, None, None]:
        """Generate for each prompt, and give each result as soon as it is there.

        At most `concurrency` tasks are under way, fewer while the service has no room for them,
        and requests keep below the limit of a minute (LIM-1, LIM-2).  An error of one prompt is
        in its result and touches no other.  `timeout` counts for each task from its submit.  An
        error of `prompts` or `on_update` themselves is raised after the results of what is under
        way; until then neither is used again.
        """
        like = Submission.of(
            "a prompt",
            aspect_ratio=aspect_ratio,
            num_images=num_images,
            image_urls=image_urls,
            provider=provider,
        )
        caller = Caller(each_of(prompts), on_update)
        batch = Batch(
            self._api,
            like=like,
            concurrency=concurrency,
            timeout_s=seconds("timeout", timeout),
            on_update=caller.tell,
        )
        is_over = Event()
        sleep = is_over.wait if self._sleep is time.sleep else self._sleep

        def work(index: int, prompt: str) -> BatchResult:
            return self._run(batch.result(index, prompt), sleep)

        def stop() -> None:
            batch.stop()
            is_over.set()

        return workers.in_threads(caller, work, concurrency, stop)

    def download(self, generation: Generation, directory: str | PathLike[str]) -> list[Path]:
        """Download every picture into the directory, which is made if need be (RES-1 … RES-3).

        A file has its name only once it is whole.  Raises ResultExpired for results that are gone
        and UnexpectedResponse for what is no picture of the declared type.
        """
        flow = download(generation, Path(directory), self._api.timeline(), self._api.max_retries)
        return self._run(flow)

    def balance(self) -> Decimal:
        """Return the dollars left for this key (BIL-2)."""
        return self._run(self._api.balance(self._api.timeline()))

    def _run(self, flow: Flow[T], sleep: Callable[[float], object] | None = None) -> T:
        """Do what the flow wants done, until it returns or raises."""
        came: httpx.Response | ApixoError | None = None
        with closing(flow):
            while not isinstance(step := advance(flow, came), Done):
                if isinstance(step, Sleep):
                    came = None
                    (sleep or self._sleep)(step.seconds)
                else:
                    came = self._exchange(step)
            return step.value

    def _exchange(self, step: Send | Fetch) -> httpx.Response | ApixoError:
        began_s = time.monotonic()
        try:
            came = self._send(step) if isinstance(step, Send) else self._fetch(step)
        except HTTP_ERRORS as error:
            came = error_of(error, self._identity.api_key)
        except ApixoError as error:
            came = error
        _log.debug("%s", self._identity.told(step, came, time.monotonic() - began_s))
        return came

    def _send(self, step: Send) -> httpx.Response | ApixoError:
        request = self._identity.request(self._http, step)
        response = self._http.send(
            request, auth=self._identity.api_key, stream=True, follow_redirects=False
        )
        body = Body(step.timeout_s, self._identity.api_key)
        with closing(response):
            for part in response.iter_bytes():
                body.add(part)
        return self._identity.api_key.without_key(response, bytes(body.content))

    def _fetch(self, step: Fetch) -> httpx.Response | ApixoError:
        request = self._identity.download(step, self._api.timeout_s)
        response = self._http.send(request, auth=None, stream=True, follow_redirects=False)
        patience = Patience(DOWNLOAD_S)
        with closing(response):
            if step.sink.begin(response.status_code, response.headers):
                for part in response.iter_bytes():
                    step.sink.write(part)
                    patience.check()
        return httpx.Response(response.status_code, headers=response.headers)
