"""The connection to Redis, which finds out when Redis cannot be used, and recovers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,  # noqa: A004  # Not the built-in one.
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from mock_server.domain.errors import DomainError, StoreUnavailable
from mock_server.store.redis.address import RedisAddress
from mock_server.store.redis.client import Command, NotSentError, Reply, client_of
from mock_server.store.redis.problems import is_unreachable, place, problem_of

log = logging.getLogger("mock_server.store")

# The first attempt to connect again is made at once. The pauses before the next ones grow.
_SHORTEST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5
_PATIENCE_S = 0.25  # How long a request waits for the first attempt.
_MAX_PIPELINES = 8  # At the same time. Each one needs a connection.
_PROBE_KEY = "apixo-mock:probe"


class RedisConnection:
    """Sends commands as pipelines.

    After a connection was lost, commands that were not sent wait for the first attempt to connect
    again, but not for long. Later, while `problem` is not None, every `send` fails immediately.
    `hello` is called after each connection; the connection has a problem until it succeeds.
    """

    def __init__(self, address: RedisAddress, hello: Callable[[], Awaitable[None]]) -> None:
        self.problem: str | None = "the connection to Redis is not open yet"
        self._address = address
        self._hello = hello
        self._client = client_of(address)
        self._places = asyncio.Semaphore(_MAX_PIPELINES)
        self._was_available = False
        self._is_refused = False
        self._is_closed = False
        self._probes: asyncio.Task[None] | None = None
        self._first_attempt = asyncio.Event()  # Whether it has ended.
        self._first_attempt.set()

    async def start(self) -> None:
        """Try to connect; if that fails, go on in the background."""
        await self._probe()
        if self.problem is not None:
            self._start_probes()

    async def aclose(self) -> None:
        self._is_closed = True
        if self._probes is not None:
            self._probes.cancel()
            await asyncio.gather(self._probes, return_exceptions=True)
        with suppress(RedisError, OSError):  # The process ends, so an error has no effect.
            await self._client.aclose()

    async def send(self, commands: Sequence[Command], *, first: int = 0) -> list[Reply]:
        """Send commands as one pipeline and return the replies in order.

        In a cluster, other processes may see what the nodes have executed in any order. But the
        `first` commands are always executed before the others.

        A command that Redis rejects has an error as its reply. Raises StoreUnavailable if there
        are no replies; then each command may have been executed or not.
        """
        async with self._places:
            return await self.send_first(commands, first=first)

    async def send_first(self, commands: Sequence[Command], *, first: int = 0) -> list[Reply]:
        """Send commands like `send`, but never wait for other pipelines."""
        await self.check()
        try:
            return await self._send(commands, first)
        except _Unsent:
            await self.check()
            return await self._send(commands, first)

    async def check(self) -> None:
        """Raise StoreUnavailable if Redis cannot be used, after the first attempt to connect."""
        if self.problem is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._first_attempt.wait()
        if self.problem is not None:
            raise StoreUnavailable(self.problem)

    async def send_early(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands of `hello`, while the connection still has a problem."""
        return [checked(reply) for reply in await self._send(commands)]

    def refuse(self, reason: str) -> StoreUnavailable:
        """Stop using Redis, because this process could damage its data; return the error."""
        self._is_refused = True
        self._set_problem(reason)
        return StoreUnavailable(reason)

    async def _send(self, commands: Sequence[Command], first: int = 0) -> list[Reply]:
        try:
            replies = await self._client.replies(commands, first)
        except NotSentError as error:
            raise _Unsent(str(self._fail(error))) from error
        except (RedisError, RedisClusterException, OSError) as error:
            raise self._fail(error) from error
        return [
            self._judged(reply) if isinstance(reply, RedisError) else reply for reply in replies
        ]

    def _judged(self, error: RedisError) -> Exception:
        """Return the error of one command. If all commands would get it, set `problem`."""
        if isinstance(error, _UNUSABLE) or str(error).startswith(_UNUSABLE_CODES):
            return self._fail(error)
        return error

    def _fail(self, error: Exception) -> StoreUnavailable:
        if self._is_refused:
            return StoreUnavailable(self.problem or "")
        self._set_problem(self._text(error))
        self._start_probes()
        return StoreUnavailable(self.problem or "")

    def _text(self, error: Exception) -> str:
        return problem_of(error, self._address, was_available=self._was_available)

    def _set_problem(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        if problem is None:
            self._was_available = True
            log.info("%s is available", place(self._address))
        elif not (is_unreachable(problem) and self.problem and is_unreachable(self.problem)):
            # After "the connection was closed", "connection refused" is no news.
            log.warning("%s", problem)
        self.problem = problem

    def _start_probes(self) -> None:
        if not self._is_closed and (self._probes is None or self._probes.done()):
            self._first_attempt.clear()
            self._probes = asyncio.create_task(self._probe_until_available())

    async def _probe_until_available(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        try:
            await self._probe()
        finally:
            self._first_attempt.set()
        while self.problem is not None and not (self._is_refused or self._is_closed):
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            await self._probe()

    async def _probe(self) -> None:
        """Find out whether Redis accepts commands that write, and call `hello`."""
        try:
            await self.send_early([("SET", _PROBE_KEY, "", "PX", 1000)])
            await self._hello()
        except StoreUnavailable:
            return  # The problem has been set already.
        except DomainError as error:
            self._set_problem(str(error))
        except ResponseError as error:
            self._set_problem(self._text(error))
        else:
            self._set_problem(None)


class _Unsent(StoreUnavailable):
    """The connection was lost before any command was sent."""


_UNUSABLE = (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisTimeoutError,
)
_UNUSABLE_CODES = ("BUSY ", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOREPLICAS", "WRONGPASS")


def checked(reply: Reply) -> Reply:
    """Return a reply, or raise it if it is an error."""
    if isinstance(reply, Exception):
        raise reply
    return reply
