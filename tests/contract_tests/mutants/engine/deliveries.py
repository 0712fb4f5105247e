"""Alterations of callbacks as requests: their method, headers, attempts and instants."""

from collections.abc import Awaitable, Callable

from mock_server.domain.ports import DeliveryResult, Sender
from tests.contract_tests.mutants.engine.alterations import Alteration, Deliver
from tests.contract_tests.mutants.engine.occasions import Occasion
from tests.contract_tests.mutants.senders import LOST, RECEIVED, Raw

_ABOUT = frozenset({"always", "task", "end", "key"})


class _By(Raw):
    """Sends one callback with another method or with other headers."""

    def __init__(self, inner: Sender, method: str, headers: dict[str, str]) -> None:
        super().__init__(inner)
        self.method = method
        self.headers = headers


def _by(method: str = "POST", **headers: str) -> Deliver:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def deliver(inner: Sender, url: str, body: bytes, _: Occasion) -> DeliveryResult:
        return await _By(inner, method, named).post(url, body)

    return deliver


def _instead(act: Callable[[int], DeliveryResult | None]) -> Deliver:
    """Send, unless `act` has a result for the n-th attempt."""

    async def deliver(inner: Sender, url: str, body: bytes, occasion: Occasion) -> DeliveryResult:
        return act(occasion.attempt) or await inner.post(url, body)

    return deliver


def _believing(is_received: Callable[[DeliveryResult], bool]) -> Deliver:
    async def deliver(inner: Sender, url: str, body: bytes, _: Occasion) -> DeliveryResult:
        sent = await inner.post(url, body)
        return RECEIVED if is_received(sent) else sent

    return deliver


async def _at_once_again(inner: Sender, url: str, body: bytes, _: Occasion) -> DeliveryResult:
    sent = await inner.post(url, body)
    return sent if sent.status == 200 else await inner.post(url, body)


async def _fifth(inner: Sender, url: str, body: bytes, occasion: Occasion) -> DeliveryResult:
    sent = await inner.post(url, body)
    return await inner.post(url, body) if occasion.attempt == 4 else sent


def _of(operator: str, place: str, clause: str, deliver: Deliver, *also: str,
        when: str = "delivery", needs_control: bool = False) -> Alteration:  # fmt: skip
    return Alteration(
        operator=operator, place=place, clause=clause, when=frozenset({when}),
        also=frozenset(also), about=_ABOUT, deliver=deliver, needs_control=needs_control,
    )  # fmt: skip


def _without_envelope(
    change: Callable[[bytes], bytes],
) -> Callable[[Sender, str, bytes, Occasion], Awaitable[DeliveryResult]]:
    async def deliver(inner: Sender, url: str, body: bytes, _: Occasion) -> DeliveryResult:
        return await inner.post(url, change(body))

    return deliver


DELIVERIES = (
    _of("never", "callback", "CB-1", _instead(lambda _: RECEIVED)),
    _of("wrong-method", "put-for-callbacks", "CB-1", _by("PUT")),
    _of("wrong-header", "text-for-callbacks", "CB-1", _by(Content_Type="text/plain"), "ENV-3"),
    _of("wrong-header", "signature-of-callbacks", "CB-6", _by(X_Apixo_Signature="sha256=00ff")),
    _of("wrong-header", "key-in-callbacks", "CB-6", _by(Authorization="Bearer a-secret")),
    _of("bare", "callback", "CB-1", _without_envelope(
        lambda body: body.partition(b'"data":')[2].rstrip(b"}") + b"}"), "ENV-1"),
    _of("recase", "message-of-callbacks", "CB-1", _without_envelope(
        lambda body: body.replace(b'"success"', b'"Success"', 1)), "ENV-1"),
    _of("shift", "code-of-callbacks", "CB-1", _without_envelope(
        lambda body: body.replace(b'"code":200', b'"code":0', 1)), "ENV-1"),
    _of("truncate", "callback", "CB-1", _without_envelope(lambda body: body[:-1]), "ENV-1"),
    _of("never", "retry-after-500", "CB-3",
        _instead(lambda number: RECEIVED if number > 1 else None), "CB-2", when="retry"),
    _of("drop", "last-retry", "CB-3", _instead(lambda number: LOST if number > 3 else None),
        when="retry", needs_control=True),
    _of("twice", "last-retry", "CB-3", _fifth, when="retry", needs_control=True),
    _of("early", "first-retry", "CB-3", _at_once_again, "CB-4", when="retry"),
    _of("late", "first-retry", "CB-3", _instead(lambda number: LOST if number == 2 else None),
        when="retry", needs_control=True),
    _of("wrong-status", "204-is-a-receipt", "CB-2", _believing(
        lambda sent: sent.status is not None and 200 < sent.status < 300), "CB-3", when="retry"),
    _of("wrong-status", "4xx-is-a-receipt", "CB-2", _believing(
        lambda sent: sent.status is not None and 400 <= sent.status < 500), "CB-3", when="retry"),
    _of("wrong-status", "5xx-is-a-receipt", "CB-2", _believing(
        lambda sent: sent.status is not None and sent.status >= 500), "CB-3", when="retry"),
)  # fmt: skip
