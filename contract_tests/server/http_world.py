"""The world of a live run: HTTP to the target, real time, the kit's receiver."""

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from contract_tests.contract.redaction import Redaction
from contract_tests.server.events import Deliveries, Delivery, Request, Response
from contract_tests.server.http_client import Sender
from contract_tests.server.real_time import real_ms
from contract_tests.server.receiver import Receiver
from contract_tests.server.time_limit import LOOK_S, TimeLimit
from contract_tests.server.world import RECEIVER


class Guard(Protocol):
    """Checks each request of a live run before it is sent."""

    def before(self, request: Request, count: int) -> None:
        """Delay the request and reserve its cost. Raise CaseSkipped to prevent the request."""

    def after(self, request: Request, response: Response) -> None:
        """Release the reserved cost of a rejected request."""


class NoGuard:
    def before(self, request: Request, count: int) -> None:
        """Allow every request."""

    def after(self, request: Request, response: Response) -> None:
        """Do nothing, because nothing was reserved."""


class HttpWorld:
    """`keys` are the case's API keys by name; `case_id` separates its callbacks from others.

    When the case must end by its time limit, every use raises CaseTimedOut or RunStopped.
    """

    def __init__(
        self,
        sender: Sender,
        base_url: str,
        keys: Mapping[str, str],
        receiver: Receiver,
        *,
        case_id: str,
        redaction: Redaction | None = None,
        guard: Guard | None = None,
        limit: TimeLimit | None = None,
    ) -> None:
        self._sender = sender
        self._base_url = base_url
        self._keys = dict(keys)
        self._receiver = receiver
        self._case_id = case_id
        self._guard = guard or NoGuard()
        self._limit = limit or TimeLimit()
        self._redaction = redaction or Redaction(keys.values())

    def exchange(self, request: Request) -> Response:
        self._limit.check()
        self._guard.before(request, 1)
        sent_ms = real_ms()
        answer = self._sender.send(
            request.method,
            self._url(request),
            self._headers(request),
            self._body(request),
            self._limit,
        )
        response = self._shown(answer, sent_ms)
        self._guard.after(request, response)
        return response

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        """Send the burst over one persistent connection; it ends if the connection is lost."""
        self._limit.check()
        self._guard.before(request, count)
        sent_ms = real_ms()
        statuses, last = self._sender.burst(
            request.method,
            self._url(request),
            self._headers(request),
            self._body(request),
            count,
            self._limit,
        )
        runs = tuple((status, len(list(same))) for status, same in groupby(statuses))
        return runs, self._shown(last, sent_ms)

    def pause(self, seconds: float) -> None:
        self._limit.wait(seconds)

    def script_receiver(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        self._receiver.script(f"{self._case_id}/{name}", reactions)

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        until_s = time.monotonic() + within_s
        while True:
            left_s = min(LOOK_S, max(0.0, until_s - time.monotonic()))
            received = self._receiver.deliveries(f"{self._case_id}/{name}", count, left_s)
            self._limit.check()
            if len(received) >= count or left_s < LOOK_S:
                break
        return tuple(delivery.redacted(self._redaction) for delivery in received)

    def received(self) -> tuple[Deliveries, ...]:
        prefix = f"{self._case_id}/"
        return tuple(
            Deliveries(
                name=self._redaction.text(name.removeprefix(prefix)),
                deliveries=tuple(each.redacted(self._redaction) for each in came),
            )
            for name, came in self._receiver.received(prefix)
        )

    def _url(self, request: Request) -> str:
        url = request.path if "://" in request.path else self._base_url + request.path
        return f"{url}?{urlencode(request.query)}" if request.query else url

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        headers = list(request.headers)
        name, _, scheme = request.key.partition(" as ")
        if name in self._keys:
            headers.append(("Authorization", f"{scheme or 'Bearer'} {self._keys[name]}"))
        return headers

    def _body(self, request: Request) -> bytes:
        receiver_url = self._receiver.url(self._case_id)
        return request.body.replace(RECEIVER.encode(), receiver_url.encode())

    def _shown(self, response: Response, sent_ms: int) -> Response:
        """Return the response with the receiver's placeholder and its times, without API keys."""
        receiver_url = self._receiver.url(self._case_id).encode()
        body = response.body.replace(receiver_url, RECEIVER.encode())
        timed = msgspec.structs.replace(response, body=body, sent_ms=sent_ms, answered_ms=real_ms())
        return timed.redacted(self._redaction)
