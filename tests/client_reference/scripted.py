"""A service that responds by a script, and time that only sleeping moves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from threading import Lock, get_ident
from typing import Literal, Protocol

import httpx

from client_reference import Client

KEY = "sk-secret-7f3a91"
BASE_URL = "http://service.test"
RESULT_URL = "http://results.test/fox.png"
Operation = Literal["submit", "status", "balance", "result"]
Answer = Callable[[httpx.Request], httpx.Response]


class VirtualTime:
    """A clock that only sleeping moves, and what was slept."""

    def __init__(self, now_s: float = 1_800_000_000.0) -> None:
        self.now_s = now_s
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.pauses.append(seconds)
        self.now_s += seconds


class OwnTimes:
    """A time for each thread and each task, so that workers do not hurry one another."""

    def __init__(self) -> None:
        self._now_s: dict[object, float] = {}
        self._lock = Lock()

    def clock(self) -> float:
        with self._lock:
            return self._now_s.setdefault(_worker(), 1_800_000_000.0)

    def sleep(self, seconds: float) -> None:
        now_s = self.clock()
        with self._lock:
            self._now_s[_worker()] = now_s + seconds


def _worker() -> object:
    try:
        return get_ident(), asyncio.current_task()
    except RuntimeError:
        return get_ident()


class Time(Protocol):
    def clock(self) -> float:
        """Return epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Let this much time pass, at once."""


class Service:
    """Gives each operation the next answer of its script, and repeats the last one."""

    def __init__(
        self,
        *,
        submit: Sequence[Answer] = (),
        status: Sequence[Answer] = (),
        balance: Sequence[Answer] = (),
        result: Sequence[Answer] = (),
    ) -> None:
        self._lock = Lock()
        self._left: dict[Operation, list[Answer]] = {
            "submit": [*submit], "status": [*status], "balance": [*balance], "result": [*result],
        }  # fmt: skip
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        operation = operation_of(request)
        with self._lock:
            self.requests.append(request)
            left = self._left[operation]
            assert left, f"the script has no answer for {operation}"
            answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(request)

    def asked(self, operation: Operation) -> list[httpx.Request]:
        return [request for request in self.requests if operation_of(request) == operation]


def responding(answer: Answer) -> Service:
    """Return a service that gives this answer to every request for the API."""
    return Service(submit=[answer], status=[answer], balance=[answer])


CALLS: dict[str, Callable[[Client], object]] = {
    "submit": lambda client: client.submit("a fox"),
    "status": lambda client: client.status("task_1"),
    "balance": lambda client: client.balance(),
    "wait": lambda client: client.wait("task_1"),
}
"""A call of each method that reads a response of the API."""


def operation_of(request: httpx.Request) -> Operation:
    path = request.url.path
    if request.url.host == "results.test":
        return "result"
    if path == "/api/v1/generateTask/gpt-image-1" and request.method == "POST":
        return "submit"
    if path == "/api/v1/statusTask/gpt-image-1" and request.method == "GET":
        return "status"
    assert (request.method, path) == ("GET", "/api/v1/apikeys/current-balance")
    return "balance"


def raw(
    status: int, body: bytes, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
) -> Answer:
    return lambda request: httpx.Response(status, content=body, headers=httpx.Headers(headers))


def says(
    code: int,
    data: object = None,
    *,
    message: str | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Answer with an envelope; the HTTP status is its code unless told otherwise (ENV-2)."""
    words = message or ("success" if code == 200 else "no")
    body = json.dumps({"code": code, "message": words, "data": data}).encode()
    return raw(code if status is None else status, body, headers or {})


def breaks(error: type[httpx.TransportError], message: str = "broken") -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error(message, request=request)

    return answer


def accepts(task_id: str = "task_1") -> Answer:
    return says(200, {"taskId": task_id})


def told(state: str, task_id: str = "task_1", **more: object) -> Answer:
    return says(200, {"taskId": task_id, "state": state, "createTime": 1, **more})


def result_json(*urls: object) -> str:
    return json.dumps({"resultUrls": list(urls)})


def succeeds(task_id: str = "task_1") -> Answer:
    result = result_json(RESULT_URL)
    return told("success", task_id, resultJson=result, completeTime=31_000, costTime=30_000)


def fails(code: str, message: str = "sorry") -> Answer:
    return told("failed", failCode=code, failMsg=message, completeTime=31_000, costTime=30_000)


class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in parts, which may break off."""

    def __init__(self, *parts: bytes, breaks_with: BaseException | None = None) -> None:
        self._parts = parts
        self._error = breaks_with

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part
