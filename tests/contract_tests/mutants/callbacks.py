"""CB: servers that call back wrongly."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import msgspec

from mock_server.domain.ports import Sender, Sent
from mock_server.settings import Settings
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, answers

_QUICK = Settings(clock="manual", seed=7, callback_timeout=1000)
_RECEIVED = Sent(status=200)
_LOST = Sent(error="never sent")


class Through:
    """Sends as the mock does; the base of those that do not."""

    def __init__(self, inner: Sender) -> None:
        self.inner = inner

    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        return await self.inner.post(url, body, lane)

    async def aclose(self) -> None:
        await self.inner.aclose()


def _other_body(change: Callable[[Any], Any]) -> Callable[[Sender], Sender]:
    class OtherBody(Through):
        async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
            told = change(msgspec.json.decode(body))
            return await self.inner.post(url, msgspec.json.encode(told), lane)

    return OtherBody


def _other_data(change: Callable[[dict[str, Any]], Any]) -> Callable[[Sender], Sender]:
    return _other_body(lambda envelope: envelope | {"data": change(envelope["data"])})


def _believing(is_received: Callable[[Sent], bool]) -> Callable[[Sender], Sender]:
    """Take more for a receipt than HTTP 200."""

    class Believing(Through):
        async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
            sent = await self.inner.post(url, body, lane)
            return _RECEIVED if is_received(sent) else sent

    return Believing


def _by_attempt(
    act: Callable[[int, Sent | None], Sent | None],
) -> Callable[[Sender], Sender]:
    """Let `act` decide about the n-th attempt: before sending (None: send it), and after."""

    class ByAttempt(Through):
        def __init__(self, inner: Sender) -> None:
            super().__init__(inner)
            self.attempts: Counter[str] = Counter()

        async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
            self.attempts[url] += 1
            number = self.attempts[url]
            instead = act(number, None)
            if instead is not None:
                return instead
            sent = await self.inner.post(url, body, lane)
            return act(number, sent) or sent

    return ByAttempt


class _Raw(Through):
    """Sends with a client of its own, so that every part of the request can be wrong."""

    method = "POST"
    headers: Mapping[str, str] = {}  # never changed
    follow_redirects = False

    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        headers = {"Content-Type": "application/json", **self.headers}
        async with httpx.AsyncClient(timeout=1, follow_redirects=self.follow_redirects) as http:
            try:
                answer = await http.request(self.method, url, content=body, headers=headers)
            except httpx.HTTPError as error:
                return Sent(error=str(error))
        return Sent(status=answer.status_code)


class _Put(_Raw):
    method = "PUT"


class _AsText(_Raw):
    headers = {"Content-Type": "text/plain"}  # noqa: RUF012


class _Signed(_Raw):
    headers = {"X-Apixo-Signature": "sha256=00ff"}  # noqa: RUF012


class _WithTheKey(_Raw):
    headers = {"Authorization": "Bearer a-secret"}  # noqa: RUF012


class _Following(_Raw):
    follow_redirects = True


class _OnlySuccess(Through):
    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        if b'"failed"' in body:
            return _RECEIVED
        return await self.inner.post(url, body, lane)


class _AtOnceAgain(Through):
    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        sent = await self.inner.post(url, body, lane)
        return sent if sent.status == 200 else await self.inner.post(url, body, lane)


class _OneTryMore(Through):
    """Tries twice where the last of four tries would be."""

    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._attempts: Counter[str] = Counter()

    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        self._attempts[url] += 1
        sent = await self.inner.post(url, body, lane)
        return await self.inner.post(url, body, lane) if self._attempts[url] == 4 else sent


class _OneOfTwo(Through):
    """Loses each second callback, and does not notice."""

    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._urls: dict[str, int] = {}

    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        number = self._urls.setdefault(url, len(self._urls))
        return _RECEIVED if number % 2 else await self.inner.post(url, body, lane)


class _NewTextAtEachTry(Through):
    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._attempts: Counter[str] = Counter()

    async def post(self, url: str, body: bytes, lane: str = "") -> Sent:
        self._attempts[url] += 1
        told = msgspec.json.decode(body)
        told["data"]["attempt"] = self._attempts[url]
        changed = msgspec.json.encode(told) if self._attempts[url] > 1 else body
        return await self.inner.post(url, changed, lane)


def _async_calls_back(asked: Asked) -> Asked:
    if not asked.is_submit or b"callback_url" not in asked.body:
        return asked
    body = msgspec.json.encode(asked.json | {"request_type": "callback"})
    return replace(asked, body=body)


async def _calls_back_for_async(asked: Asked, serve: Serve) -> Told:
    return await serve(_async_calls_back(asked))


async def _calls_back_at_the_submit(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    if asked.is_submit and told.status == 200 and asked.json.get("request_type") == "callback":
        data = {"taskId": told.json["data"]["taskId"], "state": "pending", "createTime": 0}
        async with httpx.AsyncClient(timeout=1) as http:
            body = {"code": 200, "message": "success", "data": data}
            await http.post(asked.json["callback_url"], json=body)
    return told


def _no_polling() -> Break:
    called: set[str] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit and told.status == 200:
            if b'"callback"' in asked.body:
                called.add(told.json["data"]["taskId"])
        elif asked.is_status and told.status == 200 and told.json["data"]["taskId"] in called:
            return told.with_status(404)
        return told

    return broken


def _polled_only_until_the_end(asked: Asked, told: Told) -> Told:
    is_over = asked.is_status and told.status == 200 and "completeTime" in told.json["data"]
    return told.with_status(404) if is_over else told


def _without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _as_object(data: dict[str, Any]) -> dict[str, Any]:
    if "resultJson" not in data:
        return data
    return data | {"resultJson": msgspec.json.decode(data["resultJson"])}


MUTANTS = (
    Mutant(
        name="no callback is ever sent",
        clause="CB-1",
        sender=_by_attempt(lambda _, __: _RECEIVED),
    ),
    Mutant(name="no callback for a failure", clause="CB-1", sender=_OnlySuccess),
    Mutant(
        name="a callback is the data without the envelope",
        clause="CB-1",
        sender=_other_body(lambda envelope: envelope["data"]),
    ),
    Mutant(
        name="resultJson is an object in callbacks", clause="CB-1", sender=_other_data(_as_object)
    ),
    Mutant(
        name="no times in callbacks",
        clause="CB-1",
        sender=_other_data(lambda data: _without(data, "completeTime", "costTime")),
    ),
    Mutant(
        name="an event member more in callbacks",
        clause="CB-1",
        sender=_other_body(lambda envelope: envelope | {"event": "task.completed"}),
    ),
    Mutant(
        name="callbacks of failures have code 500",
        clause="CB-1",
        sender=_other_body(
            lambda envelope: (
                envelope | {"code": 500} if envelope["data"]["state"] == "failed" else envelope
            )
        ),
    ),
    Mutant(name="callbacks by PUT", clause="CB-1", sender=_Put),
    Mutant(name="callbacks as text/plain", clause="CB-1", sender=_AsText),
    Mutant(name="a callback for async tasks", clause="CB-1", make=lambda: _calls_back_for_async),
    Mutant(name="a callback at the submit", clause="CB-1", make=lambda: _calls_back_at_the_submit),
    Mutant(
        name="any 2xx is a receipt",
        clause="CB-2",
        sender=_believing(lambda sent: sent.status is not None and 200 <= sent.status < 300),
        settings=_QUICK,
    ),
    Mutant(
        name="a 4xx is not tried again",
        clause="CB-2",
        sender=_believing(lambda sent: sent.status is not None and 400 <= sent.status < 500),
        settings=_QUICK,
    ),
    Mutant(
        name="only a lost connection is tried again",
        clause="CB-2",
        sender=_believing(lambda sent: sent.status is not None),
        settings=_QUICK,
    ),
    Mutant(
        name="a slow receiver has received",
        clause="CB-2",
        sender=_believing(lambda sent: sent.status is None),
        settings=_QUICK,
    ),
    Mutant(name="redirects are followed", clause="CB-2", sender=_Following, settings=_QUICK),
    Mutant(
        name="a callback is never retried",
        clause="CB-3",
        sender=_by_attempt(lambda number, _: _RECEIVED if number > 1 else None),
    ),
    Mutant(
        name="a callback is tried 3 times in all",
        clause="CB-3",
        sender=_by_attempt(lambda number, _: _LOST if number > 3 else None),
    ),
    Mutant(name="a callback is tried 5 times in all", clause="CB-3", sender=_OneTryMore),
    Mutant(name="the first retry comes at once", clause="CB-3", sender=_AtOnceAgain),
    Mutant(
        name="the first retry comes after 2.5 minutes",
        clause="CB-3",
        sender=_by_attempt(lambda number, _: _LOST if number == 2 else None),
    ),
    Mutant(
        name="a callback is sent again though it was received",
        clause="CB-3",
        sender=_by_attempt(lambda _, sent: None if sent is None else Sent(status=500)),
    ),
    Mutant(name="each second callback is lost", clause="CB-4", sender=_OneOfTwo),
    Mutant(name="each try says something else", clause="CB-4", sender=_NewTextAtEachTry),
    Mutant(name="a callback task cannot be polled", clause="CB-5", make=_no_polling),
    Mutant(
        name="a callback task is gone after its callback",
        clause="CB-5",
        make=answers(_polled_only_until_the_end),
    ),
    Mutant(name="callbacks are signed", clause="CB-6", sender=_Signed),
    Mutant(name="callbacks carry a key", clause="CB-6", sender=_WithTheKey),
)
