"""A legal variation: a server that differs from the mock and keeps the contract."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mock_server.domain.ports import DeliveryResult, Sender
from mock_server.settings import Settings
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Parts, Serve, Told
from tests.contract_tests.mutants.senders import Through

Change = Callable[[Asked, Told], Told]
Envelope = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Variation(Mutant):
    """`clause` allows it, `cases` are globs of the cases that it could confuse most."""

    cases: tuple[str, ...] = ()
    change: Change | None = None
    """Changes an answer of the provider's endpoints and of the host of results."""
    body: Callable[[bytes], bytes] | None = None
    """Changes the JSON of status answers and of callbacks alike, byte by byte."""
    deliver: Callable[[Sender], Sender] | None = None
    control: Break | None = None
    is_foreign_only: bool = False
    """Whether the kit may insist on the mock's own choice, if it has the control plane."""
    may_warn: tuple[str, ...] = ()
    """The clauses of which it may warn, because by their certainty a violation is a warning."""

    def parts(self) -> Parts:
        made = self.make()

        async def answer(asked: Asked, serve: Serve) -> Told:
            told = await made(asked, serve)
            if self.body is not None and asked.is_status and told.status == 200:
                told = replace(told, body=self.body(told.body))
            return told if self.change is None else self.change(asked, told)

        return Parts(answer=answer, sender=self._sender, control=self.control)

    def _sender(self, inner: Sender) -> Sender:
        outer = self.deliver(inner) if self.deliver else inner
        return outer if self.body is None else _ChangedBody(outer, self.body)


class _ChangedBody(Through):
    def __init__(self, inner: Sender, change: Callable[[bytes], bytes]) -> None:
        super().__init__(inner)
        self._change = change

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        return await self.inner.post(url, self._change(body), lane)


def settings(**changed: Any) -> Settings:
    return msgspec.structs.replace(Settings(clock="manual", seed=7), **changed)


def is_json(told: Told) -> bool:
    return dict(told.headers).get(b"content-type", b"").startswith(b"application/json")


def rewritten(change: Callable[[Envelope], Any]) -> Change:
    """Change the envelope of every JSON answer."""
    return lambda _, told: told.with_json(change(told.json)) if is_json(told) else told


def reencoded(encode: Callable[[Any], str]) -> Change:
    """Write every JSON answer in another way."""
    return lambda _, told: (
        replace(told, body=encode(json.loads(told.body)).encode()) if is_json(told) else told
    )


def data_of(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[bytes], bytes]:
    """Change `data` of a status answer or callback."""

    def changed(body: bytes) -> bytes:
        envelope = msgspec.json.decode(body)
        return msgspec.json.encode(envelope | {"data": change(envelope["data"])})

    return changed


def of_submits(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Change `data` of every accepted submit."""

    def changed(asked: Asked, told: Told) -> Told:
        if not asked.is_submit or told.status != 200:
            return told
        return told.with_json(told.json | {"data": change(told.json["data"])})

    return changed


def of_errors(change: Callable[[Envelope], Envelope]) -> Change:
    """Change the envelope of every error."""
    return lambda _, told: (
        told.with_json(change(told.json)) if told.status >= 400 and is_json(told) else told
    )


def of_headers(change: Callable[[bytes, bytes], tuple[bytes, bytes] | None]) -> Change:
    """Change every header, or leave it out."""

    def changed(_: Asked, told: Told) -> Told:
        headers = [change(name, value) for name, value in told.headers]
        return replace(told, headers=tuple(each for each in headers if each is not None))

    return changed


def adding(*headers: tuple[bytes, bytes]) -> Change:
    return lambda _, told: replace(told, headers=(*told.headers, *headers))
