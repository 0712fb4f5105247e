"""The client for asyncio; all but `generate_many` also works with trio."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from decimal import Decimal
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

import anyio
import httpx

from client_reference import workers
from client_reference.batch import BatchResult
from client_reference.client_base import ClientBase, check_transport
from client_reference.connection import DOWNLOAD_S, BodyReader
from client_reference.decoding import Decoder
from client_reference.errors import ApiTimeout, ApixoError
from client_reference.http_clients import open_async_client
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
from client_reference.time_limit import TimeLimit

# For each request httpx checks every connection and every waiting request.  A thousand at
# once cost fifteen times as much as fifty, and are no faster.
_REQUESTS_AT_ONCE = 50
# httpx should time out first, because it knows whether anything was sent.
_GRACE_S = 1.0


class AsyncClient(ClientBase):
    """The client for asyncio: await its methods, and iterate `generate_many` with `async for`."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        **options: Unpack[ClientKeywords],
    ) -> None:
        super().__init__(api_key, base_url, **options)
        check_transport(transport, http_client)
        self._sleep = sleep
        self._owns_http = http_client is None
        self._http = http_client or open_async_client(self._connection.base_url, transport)
        self._slots = anyio.Semaphore(_REQUESTS_AT_ONCE, fast_acquire=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    async def submit(self, prompt: str, **options: Unpack[SubmitKeywords]) -> Task:
        return await self._run(self._calls.submit(prompt, **options))

    async def status(self, task_id: str) -> Task:
        return await self._run(self._calls.status(task_id))

    async def wait(self, task: Task | str, **options: Unpack[WaitKeywords]) -> Task:
        return await self._run(self._calls.wait(task, **options))

    async def generate(self, prompt: str, **options: Unpack[GenerateKeywords]) -> Generation:
        return await self._run(self._calls.generate(prompt, **options))

    def generate_many(
        self, prompts: Iterable[str], **options: Unpack[GenerateManyKeywords]
    ) -> AsyncGenerator[BatchResult, None]:
        batch = self._calls.generate_many(prompts, **options)

        async def run(index: int, prompt: str) -> BatchResult:
            return await self._run(batch.result(index, prompt))

        return workers.run_in_tasks(batch, run)

    async def download(self, generation: Generation, directory: str | PathLike[str]) -> list[Path]:
        return await self._run(self._calls.download(generation, directory))

    async def balance(self) -> Decimal:
        return await self._run(self._calls.balance())

    async def _run(self, flow: Flow[T]) -> T:
        """Do each step of a flow and return the flow's result."""
        outcome: httpx.Response | ApixoError | None = None
        with closing(flow):
            while not isinstance(step := advance(flow, outcome), Done):
                if isinstance(step, Sleep):
                    outcome = None
                    await self._sleep(step.seconds)
                else:
                    outcome = await self._exchange(step)
            return step.value

    async def _exchange(self, step: Send | Fetch) -> httpx.Response | ApixoError:
        began_s = time.monotonic()
        try:
            outcome = await (self._send(step) if isinstance(step, Send) else self._fetch(step))
        except HTTP_ERRORS as error:
            outcome = self._connection.translate_error(error, step)
        except ApixoError as error:
            outcome = error
        self._log(step, outcome, time.monotonic() - began_s)
        return outcome

    async def _send(self, step: Send) -> httpx.Response | ApixoError:
        api_key = self._connection.api_key
        request = self._connection.build_request(self._http, step)
        async with self._slot(step.timeout_s):
            time_limit = TimeLimit(step.timeout_s)
            with _enforced(time_limit):
                async with aclosing(await self._open(request, api_key)) as response:
                    body = BodyReader(response, time_limit, api_key)
                    async for part in _raw_parts(response):
                        if not body.add(part):
                            break
        return api_key.redact_response(response, body.finish())

    async def _fetch(self, step: Fetch) -> httpx.Response | ApixoError:
        request = self._connection.build_download(step)
        with _enforced(TimeLimit(step.timeout_s)):
            response = await self._open(request, None)
        time_limit = TimeLimit(DOWNLOAD_S)
        with _enforced(time_limit):
            async with aclosing(response):
                if step.sink.begin(response.status_code, response.headers):
                    decoder = Decoder(response)
                    async for part in _raw_parts(response):
                        for decoded in decoder.decode(part):
                            step.sink.write(decoded)
                        time_limit.check()
                    decoder.end()
        return httpx.Response(response.status_code, headers=response.headers)

    async def _open(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        """Send a request and return the head of its response."""
        return await self._http.send(request, auth=auth, stream=True, follow_redirects=False)

    @asynccontextmanager
    async def _slot(self, timeout_s: float) -> AsyncIterator[None]:
        """Hold a request slot inside the block; wait at most `timeout_s` seconds for a free one."""
        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            await self._wait_for_slot(timeout_s)
        try:
            yield
        finally:
            self._slots.release()

    async def _wait_for_slot(self, timeout_s: float) -> None:
        try:
            with anyio.fail_after(timeout_s):
                await self._slots.acquire()
        except TimeoutError:
            raise ApiTimeout(
                f"timed out after {timeout_s:g} s waiting for a free request slot", was_sent=False
            ) from None


@contextmanager
def _enforced(time_limit: TimeLimit) -> Iterator[None]:
    """Cancel the block and raise ApiTimeout shortly after the end of the time."""
    with anyio.move_on_after(time_limit.left_s + _GRACE_S) as scope:
        yield
    if scope.cancelled_caught:
        raise ApiTimeout(str(time_limit))


async def _raw_parts(response: httpx.Response) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:
        yield response.content
        return
    async for part in response.aiter_raw():
        yield part
