"""A network for blocking requests that ends each of them in time.

httpcore starts the timeout anew with each read, so a server that sends one byte before each timeout
could block a request forever.  Here each step gets the time that is left for the whole request.
"""

import socket
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any, Final

import httpcore

from client_reference.time_limit import current_limit

# Sending a large buffer at once could take several times the timeout.
_WRITE_MAX: Final = 16 * 1024  # bytes


class LimitedBackend(httpcore.NetworkBackend):
    """Opens connections that obey `limit_network`."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that accepts; the time limit is for all addresses."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in _addresses(host, port):
            left_s = _left_s(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(
                    address, port, left_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = failure or error
            else:
                return LimitedStream(stream)
        raise failure or httpcore.ConnectError("the name has no address")


class LimitedStream(httpcore.NetworkStream):
    """A connection that obeys `limit_network`."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_MAX):
            part = buffer[start : start + _WRITE_MAX]
            self._inner.write(part, _left_s(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(timeout, httpcore.ConnectTimeout)
        return LimitedStream(self._inner.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:  # as httpcore declares it
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return [str(address[0]) for *_, address in found]


def _left_s(timeout_s: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
    """Return the shorter one of a timeout and the time that is left for the request."""
    limit = current_limit()
    if limit is None:
        return timeout_s
    left_s = limit.left_s
    if left_s <= 0:
        raise expired(str(limit))
    return left_s if timeout_s is None else min(timeout_s, left_s)
