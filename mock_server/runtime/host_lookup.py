"""Find the addresses of hosts: bounded, fair to every sandbox, and remembered for seconds."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

from mock_server.runtime.egress import Address, without_scope
from mock_server.runtime.fair_places import FairPlaces
from mock_server.runtime.transport_errors import ExchangeFailed, shorten

Resolver: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""Return the addresses of a host name; raise LookupFailed if there is none."""

_LOCALHOST: Final = (IPv6Address("::1"), IPv4Address("127.0.0.1"))
_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}\.?", re.IGNORECASE)
_TIMEOUT_S: Final = 5.0
# A lookup is a datagram and an entry in a table, so there may be many of them.
_MAX_LOOKUPS: Final = 256
_MAX_LOOKUPS_PER_OWNER: Final = 4
# A container that restarts gets another address, so answers are not remembered for long.
_FOUND_FOR_S: Final = 10.0
_FAILED_FOR_S: Final = 2.0
_MAX_REMEMBERED: Final = 1000


class LookupFailed(Exception):
    """A host name has no address; the text is a short reason."""


class HostLookup:
    """Looks up names with a resolver, for owners that must not delay one another.

    An owner is the sandbox that needs the address. Its lookups wait for places of its own, so a
    sandbox with many unknown names delays only itself.
    """

    def __init__(self, resolve: Resolver) -> None:
        self._resolve = resolve
        self._places = FairPlaces(_MAX_LOOKUPS, _MAX_LOOKUPS_PER_OWNER)
        self._running: dict[tuple[str, str], asyncio.Task[_Answer]] = {}
        self._remembered: dict[str, _Answer] = {}

    async def addresses(self, host: str, owner: str = "") -> Sequence[Address]:
        """Return the distinct addresses of a host in the resolver's order, at least one.

        Numeric hosts and `localhost` need no resolver (RFC 6761, section 6.3). Raise
        ExchangeFailed if there is no address, or none within five seconds.
        """
        numeric = numeric_address(host)
        if numeric is not None:
            return [numeric]
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return _LOCALHOST
        answer = self._recall(host) or await self._look_up(host, owner)
        if not answer.addresses:
            raise ExchangeFailed(answer.failure)
        return answer.addresses

    async def _look_up(self, host: str, owner: str) -> "_Answer":
        running = self._running.get((owner, host))
        if running is None:
            await self._places.acquire(owner)
            # While this one waited, another attempt may have looked up the same name.
            running = self._running.get((owner, host))
            answer = self._recall(host)
            if running is None and answer is None:
                running = self._start(host, owner)
            else:
                self._places.release(owner)
            if running is None:
                assert answer is not None
                return answer
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                # The lookup continues without this attempt: a single query cannot be cancelled.
                return await asyncio.shield(running)
        except TimeoutError:
            return self._remember(host, self._failed(f"no answer within {_TIMEOUT_S:g} s"))

    def _start(self, host: str, owner: str) -> "asyncio.Task[_Answer]":
        running = asyncio.get_running_loop().create_task(self._ask(host))
        self._running[owner, host] = running
        running.add_done_callback(lambda _: self._end(host, owner))
        return running

    def _end(self, host: str, owner: str) -> None:
        del self._running[owner, host]
        self._places.release(owner)

    async def _ask(self, host: str) -> "_Answer":
        try:
            found = await self._resolve(host)
        except LookupFailed as failure:
            return self._remember(host, self._failed(str(failure)))
        if not found:
            return self._remember(host, self._failed("it has no address"))
        addresses = dict.fromkeys(without_scope(ip_address(text)) for text in found)
        return self._remember(host, _Answer(tuple(addresses), "", _now_s() + _FOUND_FOR_S))

    def _failed(self, reason: str) -> "_Answer":
        failure = shorten(f"the host name does not resolve ({reason})")
        return _Answer((), failure, _now_s() + _FAILED_FOR_S)

    def _recall(self, host: str) -> "_Answer | None":
        answer = self._remembered.get(host)
        return answer if answer is not None and _now_s() < answer.expires_s else None

    def _remember(self, host: str, answer: "_Answer") -> "_Answer":
        self._remembered.pop(host, None)
        self._remembered[host] = answer
        if len(self._remembered) > _MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return answer


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[Address, ...]
    failure: str
    expires_s: float


def numeric_address(host: str) -> Address | None:
    """Return the address that a host spells in digits, such as `127.1` or `0x7f.1`, or None.

    A search domain or a DNS server never decides about such a host.
    """
    try:
        return without_scope(ip_address(host))
    except ValueError:
        pass
    if _NUMERIC.fullmatch(host) is None:
        return None
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _now_s() -> float:
    return asyncio.get_running_loop().time()
