"""Open TCP connections only to addresses that the egress policy allows.

The policy judges the addresses of a host, and the connection goes to an allowed address, not to the
name. A DNS answer that changes in between has no effect.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from mock_server.runtime.egress import Address, Egress, blocking_rule
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.transport_errors import ExchangeFailed, describe_failure

# The time limit for every address but the last; it allows one lost packet to be repeated.
_CONNECT_TIMEOUT_S = 2.0

Connect: TypeAlias = Callable[[Address, int], Awaitable[socket.socket]]


class EgressBlocked(Exception):
    """The egress policy forbids every address of a host; the text names the policy and the rule."""

    def __init__(self, host: str, address: Address, rule: str, egress: Egress) -> None:
        owner = "" if host == str(address) else f" (the address of {host})"
        super().__init__(f'blocked by egress policy "{egress}": {rule}{owner}')
        self.host = host
        self.address = address
        self.rule = rule


async def connect_socket(address: Address, port: int) -> socket.socket:
    """Return a socket that is connected to this address; raise OSError if that fails."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


class GuardedNetwork:
    """Connects to allowed addresses of hosts only."""

    def __init__(
        self, egress: Egress, hosts: HostLookup, *, connect: Connect = connect_socket
    ) -> None:
        self._egress = egress
        self._hosts = hosts
        self._connect = connect

    async def open_socket(self, host: str, port: int, owner: str = "") -> socket.socket:
        """Return a socket that is connected to the first address that is allowed and accepts.

        Raise EgressBlocked if the policy forbids all addresses of the host, and ExchangeFailed if
        the host has no address or no allowed address can be reached. The caller limits the time.
        """
        *others, last = self._allowed(host, await self._hosts.addresses(host, owner))
        failures = []
        for address in others:
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    return await self._connect(address, port)
            except TimeoutError:
                failures.append("connection timed out")
            except OSError as error:
                failures.append(describe_failure(error))
        try:
            return await self._connect(last, port)
        except OSError as error:
            failures.append(describe_failure(error))
        raise ExchangeFailed(", ".join(dict.fromkeys(failures)))

    def _allowed(self, host: str, addresses: Sequence[Address]) -> Sequence[Address]:
        allowed = []
        blocked = []
        for address in addresses:
            rule = blocking_rule(address, self._egress)
            if rule is None:
                allowed.append(address)
            else:
                blocked.append(EgressBlocked(host, address, rule, self._egress))
        if blocked and not allowed:
            raise blocked[0]
        return allowed
