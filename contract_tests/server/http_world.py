"""The world of a live run: HTTP to the target, real time, the kit's receiver."""

import http.client
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from threading import Event as Signal
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from contract_tests.contract.redaction import Redaction
from contract_tests.server.events import Deliveries, Delivery, Request, Response
from contract_tests.server.interruptions import RunStopped
from contract_tests.server.real_time import real_ms
from contract_tests.server.receiver import Receiver
from contract_tests.server.world import RECEIVER

TIMEOUT_S: Final = 60.0
_LOOK_S: Final = 0.5  # How long a wait for callbacks does not notice that the run is stopped.
_BODY_MAX: Final = 16 * 1024 * 1024  # The maximum size of a response in bytes.


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

    After `stop` is set, every use raises RunStopped.
    """

    def __init__(
        self,
        http_client: httpx.Client,
        base_url: str,
        keys: Mapping[str, str],
        receiver: Receiver,
        *,
        case_id: str,
        redaction: Redaction | None = None,
        guard: Guard | None = None,
        stop: Signal | None = None,
    ) -> None:
        self._http = http_client
        self._base_url = base_url
        self._keys = dict(keys)
        self._receiver = receiver
        self._case_id = case_id
        self._guard = guard or NoGuard()
        self._stop = stop or Signal()
        self._redaction = redaction or Redaction(keys.values())

    def exchange(self, request: Request) -> Response:
        self._raise_if_stopped()
        self._guard.before(request, 1)
        sent_ms = real_ms()
        response = self._timed(self._sent(request), sent_ms)
        self._guard.after(request, response)
        return response

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        """Send the burst over one persistent connection; it ends if the connection is lost."""
        self._raise_if_stopped()
        self._guard.before(request, count)
        parts = urlsplit(self._url(request))
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.netloc, timeout=TIMEOUT_S)
        target = f"{parts.path}?{urlencode(request.query)}" if request.query else parts.path
        headers, body = dict(self._headers(request)), self._body(request)
        statuses: list[int] = []
        last = Response(status=0, error="no request was sent")
        sent_ms = real_ms()
        try:
            for _ in range(count):
                self._raise_if_stopped()
                connection.request(request.method, target, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                statuses.append(answer.status)
            last = self._response(answer.status, answer.getheaders(), content)
        except (OSError, http.client.HTTPException) as error:
            last = self._broken(error)
        finally:
            connection.close()
        runs = tuple((status, len(list(same))) for status, same in groupby(statuses))
        return runs, self._timed(last, sent_ms)

    def pause(self, seconds: float) -> None:
        self._stop.wait(seconds)
        self._raise_if_stopped()

    def script_receiver(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        self._receiver.script(f"{self._case_id}/{name}", reactions)

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        until_s = time.monotonic() + within_s
        while True:
            left_s = min(_LOOK_S, max(0.0, until_s - time.monotonic()))
            received = self._receiver.deliveries(f"{self._case_id}/{name}", count, left_s)
            self._raise_if_stopped()
            if len(received) >= count or left_s < _LOOK_S:
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

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise RunStopped("the run was stopped")

    def _sent(self, request: Request) -> Response:
        try:
            with self._http.stream(
                request.method,
                self._url(request),
                params=request.query or None,
                headers=self._headers(request),
                content=self._body(request) or None,
            ) as answer:
                body = bytearray()
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > _BODY_MAX:
                        return Response(
                            status=0, error=f"the response is larger than {_BODY_MAX} bytes"
                        )
                return self._response(answer.status_code, answer.headers.multi_items(), bytes(body))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._broken(error)

    def _url(self, request: Request) -> str:
        return request.path if "://" in request.path else self._base_url + request.path

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        headers = [("User-Agent", "apixo-contract-tests"), *request.headers]
        name, _, scheme = request.key.partition(" as ")
        if name in self._keys:
            headers.append(("Authorization", f"{scheme or 'Bearer'} {self._keys[name]}"))
        return headers

    def _body(self, request: Request) -> bytes:
        receiver_url = self._receiver.url(self._case_id)
        return request.body.replace(RECEIVER.encode(), receiver_url.encode())

    def _response(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Response:
        receiver_url = self._receiver.url(self._case_id).encode()
        body = body.replace(receiver_url, RECEIVER.encode())
        return Response(status=status, headers=tuple(headers), body=body).redacted(self._redaction)

    def _timed(self, response: Response, sent_ms: int) -> Response:
        return msgspec.structs.replace(response, sent_ms=sent_ms, answered_ms=real_ms())

    def _broken(self, error: Exception) -> Response:
        reason = f"{type(error).__name__}: {error}"
        return Response(status=0, error=reason).redacted(self._redaction)
