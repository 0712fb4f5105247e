"""Senders of callbacks that do it wrongly."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from contract_tests.contract.certificates import trusted_certificates
from mock_server.domain.ports import DeliveryResult, Sender

RECEIVED = DeliveryResult(status=200)
LOST = DeliveryResult(error="never sent")


class Through:
    """Sends as the mock does; the base of those that do not."""

    def __init__(self, inner: Sender) -> None:
        self.inner = inner

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        return await self.inner.post(url, body, lane)

    async def aclose(self) -> None:
        await self.inner.aclose()


def other_body(change: Callable[[Any], Any]) -> Callable[[Sender], Sender]:
    class OtherBody(Through):
        async def post(
            self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
        ) -> DeliveryResult:
            told = change(msgspec.json.decode(body))
            return await self.inner.post(url, msgspec.json.encode(told), lane)

    return OtherBody


def other_data(change: Callable[[dict[str, Any]], Any]) -> Callable[[Sender], Sender]:
    return other_body(lambda envelope: envelope | {"data": change(envelope["data"])})


def believing(is_received: Callable[[DeliveryResult], bool]) -> Callable[[Sender], Sender]:
    """Take more for a receipt than HTTP 200."""

    class Believing(Through):
        async def post(
            self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
        ) -> DeliveryResult:
            sent = await self.inner.post(url, body, lane)
            return RECEIVED if is_received(sent) else sent

    return Believing


def by_attempt(
    act: Callable[[int, DeliveryResult | None], DeliveryResult | None],
) -> Callable[[Sender], Sender]:
    """Let `act` decide about the n-th attempt: before sending (None: send it), and after."""

    class ByAttempt(Through):
        def __init__(self, inner: Sender) -> None:
            super().__init__(inner)
            self.attempts: Counter[str] = Counter()

        async def post(
            self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
        ) -> DeliveryResult:
            self.attempts[url] += 1
            number = self.attempts[url]
            instead = act(number, None)
            if instead is not None:
                return instead
            sent = await self.inner.post(url, body, lane)
            return act(number, sent) or sent

    return ByAttempt


class Raw(Through):
    """Sends with a client of its own, so that every part of the request can be wrong."""

    method = "POST"
    headers: Mapping[str, str] = {}  # never changed
    follow_redirects = False

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        headers = {"Content-Type": "application/json", **self.headers}
        async with httpx.AsyncClient(
            verify=trusted_certificates(), timeout=1, follow_redirects=self.follow_redirects
        ) as http:
            try:
                answer = await http.request(self.method, url, content=body, headers=headers)
            except httpx.HTTPError as error:
                return DeliveryResult(error=str(error))
        return DeliveryResult(status=answer.status_code)


class Put(Raw):
    method = "PUT"


class AsText(Raw):
    headers = {"Content-Type": "text/plain"}  # noqa: RUF012


class Signed(Raw):
    headers = {"X-Apixo-Signature": "sha256=00ff"}  # noqa: RUF012


class WithTheKey(Raw):
    headers = {"Authorization": "Bearer a-secret"}  # noqa: RUF012


class Following(Raw):
    follow_redirects = True


class OnlySuccess(Through):
    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        if b'"failed"' in body:
            return RECEIVED
        return await self.inner.post(url, body, lane)


class AtOnceAgain(Through):
    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        sent = await self.inner.post(url, body, lane)
        return sent if sent.status == 200 else await self.inner.post(url, body, lane)


class OneTryMore(Through):
    """Tries twice where the last of four tries would be."""

    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._attempts: Counter[str] = Counter()

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        self._attempts[url] += 1
        sent = await self.inner.post(url, body, lane)
        return await self.inner.post(url, body, lane) if self._attempts[url] == 4 else sent


class OneOfTwo(Through):
    """Loses each second callback, and does not notice."""

    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._urls: dict[str, int] = {}

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        number = self._urls.setdefault(url, len(self._urls))
        return RECEIVED if number % 2 else await self.inner.post(url, body, lane)


class NewTextAtEachTry(Through):
    def __init__(self, inner: Sender) -> None:
        super().__init__(inner)
        self._attempts: Counter[str] = Counter()

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        self._attempts[url] += 1
        told = msgspec.json.decode(body)
        told["data"]["attempt"] = self._attempts[url]
        changed = msgspec.json.encode(told) if self._attempts[url] > 1 else body
        return await self.inner.post(url, changed, lane)
