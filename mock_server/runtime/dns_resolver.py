"""Resolve host names with c-ares: no threads that wait, and nothing to wait for at the end."""

import asyncio
import socket
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from mock_server.runtime.host_lookup import LookupFailed

if TYPE_CHECKING:
    import aiodns

_TIMEOUT_S = 1.5  # This is for the first try; the second one waits twice as long.
_TRIES = 2


class DnsResolver:
    """Resolves names as the machine is configured: /etc/hosts, then the servers of resolv.conf.

    `servers` replaces the configured DNS servers; each one is `address` or `address:port`.
    """

    def __init__(self, servers: Sequence[str] = ()) -> None:
        self._servers = servers
        self._resolver: aiodns.DNSResolver | None = None
        self._is_closed = False

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of a host; raise LookupFailed if there is none."""
        if self._resolver is None:
            # The import would block the event loop for too long.
            await asyncio.to_thread(import_module, "aiodns")
        import aiodns  # noqa: PLC0415
        import pycares  # noqa: PLC0415

        if self._is_closed:
            raise LookupFailed("the server is stopping")
        try:
            if self._resolver is None:
                self._resolver = aiodns.DNSResolver(
                    self._servers or None, timeout=_TIMEOUT_S, tries=_TRIES
                )
            found = await self._resolver.getaddrinfo(host, type=socket.SOCK_STREAM)
        except (aiodns.error.DNSError, pycares.AresError) as error:
            # AresError: the process is out of descriptors or threads.
            raise LookupFailed(str(error.args[-1]).lower()) from error
        return [node.addr[0].decode() for node in found.nodes]

    async def aclose(self) -> None:
        """End all lookups now; those in progress fail."""
        self._is_closed = True
        if self._resolver is not None:
            await self._resolver.close()
