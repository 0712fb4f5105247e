"""Connections whose reads end soon when a case must end, however slow the server is.

A socket's own timeout counts from each read, so a server that sends a byte now and then could hold
a case for ever. Here a read asks the time limit of its case several times a second.
"""

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from contract_tests.server.time_limit import LOOK_S, TimeLimit


class PatientNetwork(httpcore.NetworkBackend):
    """Opens connections. The thread of a case declares its time limit with `limited`."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()
        self._of_thread = threading.local()

    @contextmanager
    def limited(self, limit: TimeLimit) -> Iterator[None]:
        """Apply a time limit to all connections that this thread uses inside the block."""
        limit.check()
        self._of_thread.limit = limit
        try:
            yield
        finally:
            self._of_thread.limit = None

    def check(self) -> None:
        limit: TimeLimit | None = getattr(self._of_thread, "limit", None)
        if limit is not None:
            limit.check()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(host, port, timeout, local_address, socket_options)
        return PatientStream(stream, self)


class PatientStream(httpcore.NetworkStream):
    """A connection that several cases may use, one after the other."""

    def __init__(self, stream: httpcore.NetworkStream, network: PatientNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until_s = None if timeout is None else time.monotonic() + timeout
        while True:
            self._network.check()
            left_s = LOOK_S if until_s is None else until_s - time.monotonic()
            try:
                return self._stream.read(max_bytes, max(0.001, min(LOOK_S, left_s)))
            except httpcore.ReadTimeout:
                if until_s is not None and time.monotonic() >= until_s:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return PatientStream(stream, self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
