"""Finds the addresses of host names."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import TypeAlias

import httpcore

from mock_server.runtime.egress import Address, without_scope
from mock_server.runtime.failures import failure_sentence

Resolver: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]


async def system_resolver(host: str) -> Sequence[str]:
    """Ask the operating system; it also reads numeric spellings such as `0x7f.1`."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in answers]


class Lookups:
    """Asks for a name once at a time, so that a slow name server holds one thread and not many."""

    def __init__(self, resolve: Resolver) -> None:
        self._resolve = resolve
        self._running: dict[str, asyncio.Task[list[Address]]] = {}

    async def addresses(self, host: str) -> list[Address]:
        """Return the different addresses of a host in the resolver's order, at least one.

        Raises httpcore.ConnectError when there is none.
        """
        literal = _literal(host)
        if literal is not None:
            return [literal]
        return await asyncio.shield(self._running.get(host) or self._start(host))

    def _start(self, host: str) -> asyncio.Task[list[Address]]:
        task = asyncio.create_task(self._look_up(host))
        self._running[host] = task
        task.add_done_callback(lambda done: self._forget(host, done))
        return task

    def _forget(self, host: str, done: asyncio.Task[list[Address]]) -> None:
        del self._running[host]
        if not done.cancelled():
            done.exception()  # asyncio complains about a failure that nobody waited for

    async def _look_up(self, host: str) -> list[Address]:
        try:
            answers = await self._resolve(host)
        except UnicodeError as error:
            raise httpcore.ConnectError("the host name is not well formed") from error
        except OSError as error:
            raise httpcore.ConnectError(failure_sentence(error)) from error
        if not answers:
            raise httpcore.ConnectError("the host name has no address")
        return list(dict.fromkeys(without_scope(ip_address(answer)) for answer in answers))


def _literal(host: str) -> Address | None:
    try:
        return without_scope(ip_address(host))
    except ValueError:
        return None
