"""Sends requests exactly as a case describes them, and returns what came back."""

import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httptools
import httpx

from contract_tests.server.events import Response
from contract_tests.server.patient_network import PatientNetwork
from contract_tests.server.time_limit import TimeLimit

Headers = Sequence[tuple[str, str]]

TIMEOUT_S: Final = 60.0  # Without a byte of the response.
_CONNECT_S: Final = 10.0
_WRITE_S: Final = 30.0
_BODY_MAX: Final = 16 * 1024 * 1024  # The maximum size of a response in bytes.
_PART: Final = 64 * 1024  # bytes
# Servers close idle connections, many after 5 s. A request that meets such a close would be lost.
_IDLE_S: Final = 2.0
_TIMEOUTS: Final = {
    "timeout": {"connect": _CONNECT_S, "read": TIMEOUT_S, "write": _WRITE_S, "pool": TIMEOUT_S}
}
_ALWAYS: Final = (
    (b"User-Agent", b"apixo-contract-tests"),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),  # The kit judges the bytes that the server sends.
)


class Sender(Protocol):
    """What the world of a case needs to send requests."""

    def send(
        self, method: str, url: str, headers: Headers, body: bytes, limit: TimeLimit
    ) -> Response:
        """Return the response; status 0 and the reason if no usable response arrived."""

    def burst(
        self, method: str, url: str, headers: Headers, body: bytes, count: int, limit: TimeLimit
    ) -> tuple[list[int], Response]:
        """Send the same request so often, over one connection unless the server closes it.

        Return all statuses, and the last response.
        """


class HttpClient:
    """Keeps connections for several threads; `uses_proxies` applies those of the environment."""

    def __init__(self, certificates: ssl.SSLContext, *, uses_proxies: bool = False) -> None:
        self._certificates = certificates
        self._network = PatientNetwork()
        self._proxies = getproxies() if uses_proxies else {}
        self._pools: dict[str, httpcore.ConnectionPool] = {}
        self._direct = self._pool("")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pool in (self._direct, *self._pools.values()):
            pool.close()

    def send(
        self, method: str, url: str, headers: Headers, body: bytes, limit: TimeLimit
    ) -> Response:
        with self._network.limited(limit):
            try:
                return self._received(method, httpx.URL(url), headers, body)
            except _LOST as error:
                return _broken(error)

    def burst(
        self, method: str, url: str, headers: Headers, body: bytes, count: int, limit: TimeLimit
    ) -> tuple[list[int], Response]:
        parts = urlsplit(url)
        request = _written(method, parts, headers, body)
        statuses: list[int] = []
        last = Response(status=0, error="no request was sent")
        with self._network.limited(limit):
            try:
                stream = self._connected(parts)
                try:
                    for _ in range(count):
                        stream.write(request, _WRITE_S)
                        last = _parsed(stream)
                        statuses.append(last.status)
                        if (last.header("Connection") or "").lower() == "close":
                            stream.close()
                            stream = self._connected(parts)
                finally:
                    stream.close()
            except (*_LOST, httptools.HttpParserError) as error:
                return statuses, _broken(error)
        return statuses, last

    def _received(self, method: str, url: httpx.URL, headers: Headers, body: bytes) -> Response:
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        content = bytearray()
        with self._pool_for(url).stream(
            method,
            target,
            headers=[*_ALWAYS, *_encoded(headers)],
            content=body or None,
            extensions=_TIMEOUTS,
        ) as answer:
            for part in answer.iter_stream():
                content += part
                if len(content) > _BODY_MAX:
                    return Response(
                        status=0, error=f"the response is larger than {_BODY_MAX} bytes"
                    )
            return Response(
                status=answer.status, headers=_decoded(answer.headers), body=bytes(content)
            )

    def _connected(self, parts: SplitResult) -> httpcore.NetworkStream:
        is_tls = parts.scheme == "https"
        host = parts.hostname or ""
        stream = self._network.connect_tcp(host, parts.port or (443 if is_tls else 80), _CONNECT_S)
        return stream.start_tls(self._certificates, host, _CONNECT_S) if is_tls else stream

    def _pool_for(self, url: httpx.URL) -> httpcore.ConnectionPool:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not proxy or proxy_bypass(url.host):
            return self._direct
        if proxy not in self._pools:
            self._pools[proxy] = self._pool(proxy)
        return self._pools[proxy]

    def _pool(self, proxy: str) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=self._certificates,
            proxy=_proxy(proxy) if proxy else None,
            max_connections=None,
            keepalive_expiry=_IDLE_S,
            network_backend=self._network,
        )


_LOST: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    httpx.InvalidURL,
    OSError,
    UnicodeError,
)


class _Message:
    """Collects one response for httptools, which calls these methods by their names."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


def _parsed(stream: httpcore.NetworkStream) -> Response:
    message = _Message()
    parser = httptools.HttpResponseParser(message)
    while not message.is_complete:
        part = stream.read(_PART, TIMEOUT_S)
        if not part:
            raise httpcore.RemoteProtocolError("the server closed the connection")
        parser.feed_data(part)
        if len(message.body) > _BODY_MAX:
            raise httpcore.RemoteProtocolError(f"the response is larger than {_BODY_MAX} bytes")
    return Response(
        status=parser.get_status_code(),
        headers=_decoded(message.headers),
        body=bytes(message.body),
    )


def _written(method: str, parts: SplitResult, headers: Headers, body: bytes) -> bytes:
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: " + parts.netloc.encode()]
    lines += [name + b": " + value for name, value in (*_ALWAYS, *_encoded(headers))]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _proxy(url: str) -> httpcore.Proxy:
    parts = httpx.URL(url if "://" in url else f"http://{url}")
    auth = (parts.username.encode(), parts.password.encode()) if parts.username else None
    return httpcore.Proxy(
        httpcore.URL(
            scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path
        ),
        auth=auth,
    )


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


def _decoded(headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _broken(error: Exception) -> Response:
    return Response(status=0, error=f"{type(error).__name__}: {error}")
