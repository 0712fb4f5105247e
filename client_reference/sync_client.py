"""The client for blocking code."""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from decimal import Decimal
from os import PathLike
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self, Unpack

import httpx

from client_reference import workers
from client_reference.batch import BatchResult
from client_reference.client_base import ClientBase, check_transport
from client_reference.connection import DOWNLOAD_S, BodyReader
from client_reference.decoding import Decoder
from client_reference.errors import ApixoError
from client_reference.http_clients import open_client
from client_reference.http_errors import HTTP_ERRORS
from client_reference.keywords import (
    ClientKeywords,
    GenerateKeywords,
    GenerateManyKeywords,
    SubmitKeywords,
    WaitKeywords,
)
from client_reference.steps import Done, Fetch, Flow, Send, Sleep, T, advance
from client_reference.task import Generation, Task
from client_reference.time_limit import TimeLimit, limit_network


class Client(ClientBase):
    """The client for blocking code; several threads can share one client."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], object] = time.sleep,
        **options: Unpack[ClientKeywords],
    ) -> None:
        super().__init__(api_key, base_url, **options)
        check_transport(transport, http_client)
        self._sleep = sleep
        self._owns_http = http_client is None
        self._http = http_client or open_client(self._connection.base_url, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def submit(self, prompt: str, **options: Unpack[SubmitKeywords]) -> Task:
        return self._run(self._calls.submit(prompt, **options))

    def status(self, task_id: str) -> Task:
        return self._run(self._calls.status(task_id))

    def wait(self, task: Task | str, **options: Unpack[WaitKeywords]) -> Task:
        return self._run(self._calls.wait(task, **options))

    def generate(self, prompt: str, **options: Unpack[GenerateKeywords]) -> Generation:
        return self._run(self._calls.generate(prompt, **options))

    def generate_many(
        self, prompts: Iterable[str], **options: Unpack[GenerateManyKeywords]
    ) -> Generator[BatchResult, None, None]:
        batch = self._calls.generate_many(prompts, **options)
        is_over = Event()
        # A thread cannot be cancelled, but one that waits for an event can be woken.
        sleep = is_over.wait if self._sleep is time.sleep else self._sleep

        def run(index: int, prompt: str) -> BatchResult:
            return self._run(batch.result(index, prompt), sleep)

        def stop() -> None:
            batch.stop()
            is_over.set()

        return workers.run_in_threads(batch, run, stop)

    def download(self, generation: Generation, directory: str | PathLike[str]) -> list[Path]:
        return self._run(self._calls.download(generation, directory))

    def balance(self) -> Decimal:
        return self._run(self._calls.balance())

    def _run(self, flow: Flow[T], sleep: Callable[[float], object] | None = None) -> T:
        """Do each step of a flow and return the flow's result."""
        outcome: httpx.Response | ApixoError | None = None
        with closing(flow):
            while not isinstance(step := advance(flow, outcome), Done):
                if isinstance(step, Sleep):
                    outcome = None
                    (sleep or self._sleep)(step.seconds)
                else:
                    outcome = self._exchange(step)
            return step.value

    def _exchange(self, step: Send | Fetch) -> httpx.Response | ApixoError:
        began_s = time.monotonic()
        try:
            outcome = self._send(step) if isinstance(step, Send) else self._fetch(step)
        except HTTP_ERRORS as error:
            outcome = self._connection.translate_error(error, step)
        except ApixoError as error:
            outcome = error
        self._log(step, outcome, time.monotonic() - began_s)
        return outcome

    def _send(self, step: Send) -> httpx.Response | ApixoError:
        api_key = self._connection.api_key
        request = self._connection.build_request(self._http, step)
        time_limit = TimeLimit(step.timeout_s)
        with limit_network(time_limit), closing(self._open(request, api_key)) as response:
            body = BodyReader(response, time_limit, api_key)
            for part in _raw_parts(response):
                if not body.add(part):
                    break
        return api_key.redact_response(response, body.finish())

    def _fetch(self, step: Fetch) -> httpx.Response | ApixoError:
        request = self._connection.build_download(step)
        with limit_network(TimeLimit(step.timeout_s)):
            response = self._open(request, None)
        time_limit = TimeLimit(DOWNLOAD_S)
        with limit_network(time_limit), closing(response):
            if step.sink.begin(response.status_code, response.headers):
                decoder = Decoder(response)
                for part in _raw_parts(response):
                    for decoded in decoder.decode(part):
                        step.sink.write(decoded)
                    time_limit.check()
                decoder.end()
        return httpx.Response(response.status_code, headers=response.headers)

    def _open(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        """Send a request and return the head of its response."""
        return self._http.send(request, auth=auth, stream=True, follow_redirects=False)


def _raw_parts(response: httpx.Response) -> Iterable[bytes]:
    return [response.content] if response.is_stream_consumed else response.iter_raw()
