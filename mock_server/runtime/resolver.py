"""Resolve host names to addresses."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import TypeAlias

import httpcore

from mock_server.runtime.egress import Address, without_scope
from mock_server.runtime.transport_errors import describe_failure

Resolver: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]


async def system_resolver(host: str) -> Sequence[str]:
    """Return the addresses that the operating system finds.

    It also reads numeric forms such as `0x7f.1`.
    """
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in answers]


class SharedResolver:
    """Runs one lookup per name at a time and shares its result.

    A slow name server therefore blocks one thread, not one for each connection.
    """

    def __init__(self, resolve: Resolver) -> None:
        self._resolve = resolve
        self._lookups: dict[str, asyncio.Task[list[Address]]] = {}

    async def addresses(self, host: str) -> list[Address]:
        """Return the distinct addresses of a host in the resolver's order, at least one.

        Raise httpcore.ConnectError if there is none.
        """
        literal = _parse_literal(host)
        if literal is not None:
            return [literal]
        return await asyncio.shield(self._lookups.get(host) or self._start_lookup(host))

    def _start_lookup(self, host: str) -> asyncio.Task[list[Address]]:
        task = asyncio.create_task(self._look_up(host))
        self._lookups[host] = task
        task.add_done_callback(lambda done: self._end_lookup(host, done))
        return task

    def _end_lookup(self, host: str, done: asyncio.Task[list[Address]]) -> None:
        del self._lookups[host]
        if not done.cancelled():
            # All waiting calls may be cancelled; then asyncio would log the error as not retrieved.
            done.exception()

    async def _look_up(self, host: str) -> list[Address]:
        try:
            answers = await self._resolve(host)
        except UnicodeError as error:
            raise httpcore.ConnectError("invalid host name") from error
        except OSError as error:
            raise httpcore.ConnectError(describe_failure(error)) from error
        if not answers:
            raise httpcore.ConnectError("the host name has no address")
        return list(dict.fromkeys(without_scope(ip_address(answer)) for answer in answers))


def _parse_literal(host: str) -> Address | None:
    try:
        return without_scope(ip_address(host))
    except ValueError:
        return None
