"""The connection to Redis, which says in one sentence why Redis cannot be used."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from ssl import SSLError

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

from mock_server.domain.errors import DomainError, StoreUnavailable, reason_of
from mock_server.store.redis.address import RedisAddress
from mock_server.store.redis.client import TIMEOUT_S, Command, NotSentError, Reply, client_of

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

    async def send(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands as one pipeline and return the replies in order.

        A command that Redis rejects has an error as its reply. Raises StoreUnavailable if there
        are no replies; then each command may have been executed or not.
        """
        async with self._places:
            return await self.send_first(commands)

    async def send_first(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands like `send`, but never wait for other pipelines."""
        await self.check()
        try:
            return await self._send(commands)
        except _Unsent:
            await self.check()
            return await self._send(commands)

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

    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        try:
            replies = await self._client.replies(commands)
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
        self._set_problem(f"{_place(self._address)} {_sentence(error)}")
        self._start_probes()
        return StoreUnavailable(self.problem or "")

    def _set_problem(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        if problem is None:
            log.info("%s is available", _place(self._address))
        elif not (_is_unreachable(problem) and self.problem and _is_unreachable(self.problem)):
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
            self._set_problem(f"{_place(self._address)} {_sentence(error)}")
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


def _place(address: RedisAddress) -> str:
    return f"Redis at {address}"


def _sentence(error: Exception) -> str:
    """Return what is wrong and what to do, without any password."""
    causes = _causes(error)
    for cause in causes:
        text = str(cause)
        by_class = (said for kind, said in _SENTENCES.items() if isinstance(cause, kind))
        said = _SENTENCES_OF_CODES.get(text.partition(" ")[0]) or next(by_class, None)
        if said is not None:
            return said.format(text=text)
    if str(causes[-1]).startswith(_CLOSED):
        return f"{_UNREACHABLE}: the connection was closed"
    has_tls = any(isinstance(cause, SSLError) for cause in causes)
    last = causes[-1]
    if isinstance(last, ConnectionRefusedError):  # asyncio writes the address in another form.
        reason = "connection refused"
    else:  # After a colon, redis-py names its own objects.
        reason = reason_of(last).partition(" : <")[0]
    return f"{_UNREACHABLE}{' with TLS' if has_tls else ''}: {reason}"


def _is_unreachable(problem: str) -> bool:
    return f" {_UNREACHABLE}" in problem


def _causes(error: BaseException) -> list[Exception]:
    """Return an error and what has caused it; redis-py wraps errors of new connections."""
    found: list[Exception] = []
    while isinstance(error, Exception):
        found.append(error)
        cause = error.__cause__ or error.__context__
        if cause is None:
            break
        error = cause
    return found


_CLOSED = ("Connection closed", "Connection has data")  # The texts of redis-py for this.
_UNREACHABLE = "cannot be reached"
_WRONG_PASSWORD = "rejects the user or the password; check --store"  # noqa: S105  # A message.
_NO_MEMORY = "is out of memory; increase `maxmemory` or remove sandboxes"
_NO_PERMISSION = "does not permit a command; give the ACL user more rights ({text})"
_SENTENCES: dict[type[Exception], str] = {
    OutOfMemoryError: _NO_MEMORY,
    AuthenticationError: _WRONG_PASSWORD,
    NoPermissionError: _NO_PERMISSION,
    ReadOnlyError: "is a read-only replica; use the address of the master",
    BusyLoadingError: "is still loading its data",
    RedisTimeoutError: f"did not respond within {TIMEOUT_S:g} s",
    ResponseError: "rejects a command: {text}",
}
_SENTENCES_OF_CODES = {
    "OOM": _NO_MEMORY,
    "NOAUTH": _WRONG_PASSWORD,
    "WRONGPASS": _WRONG_PASSWORD,
    "NOPERM": _NO_PERMISSION,
}
