"""Clients of redis-py that send many commands at once and return the replies unchanged.

Nothing is ever sent twice. A pipeline whose replies were lost may have been executed, and a
second execution would append its commands again. So redis-py must not retry.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, cast

from hiredis import pack_command
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mock_server.store.redis.address import RedisAddress
from mock_server.store.redis.tls_files import check_tls_files

Command: TypeAlias = tuple[str | bytes | int | float, ...]
"""A command of Redis with its arguments."""
Reply: TypeAlias = Any
"""The reply of Redis to a command: bytes, integers, None, lists of them, or an error."""

TIMEOUT_S = 2.0
# Replies that a client of a cluster would turn into other types.
_CONVERTED = (
    *("HGETALL", "SET", "SMEMBERS", "XADD", "XRANGE", "XREVRANGE"),
    *("ZADD", "ZMSCORE", "ZRANGE", "ZSCORE"),
)


class NotSentError(RedisConnectionError):
    """Redis has closed all connections before any command was sent, so it may have restarted."""


class Client(Protocol):
    async def replies(self, commands: Sequence[Command], first: int = 0) -> list[Reply]:
        """Send commands at once and return their replies.

        All nodes of a cluster have executed the `first` commands before the others are sent. Raises
        RedisError, OSError; NotSentError if no command was sent.
        """

    async def aclose(self) -> None: ...


class _ServerClient:
    """Uses the connections of redis-py directly; its pipelines cost twice as much time."""

    def __init__(self, client: Redis, sentinels: Sequence[Redis] = ()) -> None:
        self._client = client
        self._sentinels = sentinels
        self._idle: list[Any] = []

    async def replies(self, commands: Sequence[Command], first: int = 0) -> list[Reply]:
        del first  # One server executes the commands of a connection in their order.
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = await self._connection()
                try:
                    replies = await _replies(connection, commands)
                except BaseException:
                    await self._disconnect(connection)
                    raise
        except TimeoutError as error:
            raise RedisTimeoutError from error
        self._idle.append(connection)
        return replies

    async def _disconnect(self, failed: Any) -> None:
        """Close a connection that would read replies to other commands next.

        Those that are idle are closed, too: if Redis was away, each would fail once.
        """
        idle, self._idle = self._idle, []
        await self._close(failed, *idle)

    async def _close(self, *connections: Any) -> None:
        for connection in connections:
            await connection.disconnect(nowait=True)
            await self._client.connection_pool.release(connection)

    async def _connection(self) -> Any:
        """Return an idle connection, or a new one if all are in use.

        Redis may close a connection that was idle for long, and another one is used instead. If it
        has closed all of them, it may have lost its data. The caller must know that.
        """
        had_idle = bool(self._idle)
        while self._idle:
            connection = self._idle.pop()
            if _is_open(connection):
                return connection
            await self._close(connection)
        if had_idle:
            raise NotSentError("Connection closed by server.")
        return await self._client.connection_pool.get_connection()  # type: ignore[no-untyped-call]

    async def aclose(self) -> None:
        while self._idle:
            await self._client.connection_pool.release(self._idle.pop())
        for client in (self._client, *self._sentinels):
            await client.aclose()


def _is_open(connection: Any) -> bool:
    """Tell whether the other side has not closed a connection; redis-py finds out too late."""
    reader = connection._reader  # noqa: SLF001  # It has no public name.
    return reader is not None and not reader.at_eof() and reader.exception() is None


async def _replies(connection: Any, commands: Sequence[Command]) -> list[Reply]:
    packed = b"".join([_pack(command) for command in commands])
    await connection.send_packed_command(packed, check_health=False)
    replies: list[Reply] = []
    for _ in commands:
        try:
            replies.append(await connection.read_response(disable_decoding=True))
        except ResponseError as error:
            replies.append(error)
    return replies


class _ClusterClient:
    """Uses pipelines of redis-py, which send each command to the node of its key."""

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        for name in _CONVERTED:
            client.set_response_callback(name, _unchanged)

    async def replies(self, commands: Sequence[Command], first: int = 0) -> list[Reply]:
        if not first:
            return await self._replies(commands)
        replies = await self._replies(commands[:first])
        for reply in replies:
            # The others must not be executed if, for example, the node of these is away.
            if isinstance(reply, RedisError) and type(reply) is not ResponseError:
                raise reply
        return replies + await self._replies(commands[first:])

    async def _replies(self, commands: Sequence[Command]) -> list[Reply]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        replies: list[Reply] = await pipeline.execute(raise_on_error=False)
        return replies

    async def aclose(self) -> None:
        await self._client.aclose()


def _unchanged(response: Reply, **_options: Any) -> Reply:
    return response


# The types of hiredis allow tuples of one argument only.
_pack = cast("Callable[[Command], bytes]", pack_command)


def client_of(address: RedisAddress) -> Client:
    """Return the client for this kind of address. Raises InvalidValue for invalid TLS files."""
    common: dict[str, Any] = {
        "username": address.username,
        "password": address.password,
        "socket_connect_timeout": TIMEOUT_S,
        "socket_timeout": None,  # `replies` has one timeout for all commands together.
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": "apixo-mock",
    }
    if address.has_tls:
        check_tls_files(address)
        common |= {"ssl": True, **address.tls_files}
    match address.kind:
        case "socket":
            path = address.socket_path
            return _ServerClient(Redis(unix_socket_path=path, db=address.db, **common))
        case "server":
            [(host, port)] = address.hosts
            return _ServerClient(Redis(host=host, port=port, db=address.db, **common))
        case "cluster":
            nodes = [ClusterNode(host, port) for host, port in address.hosts]
            return _ClusterClient(
                RedisCluster(startup_nodes=nodes, **{**common, "socket_timeout": TIMEOUT_S})
            )
        case "sentinel":
            of_sentinels = common | {
                "username": address.sentinel_username,
                "password": address.sentinel_password,
                "socket_timeout": TIMEOUT_S,
            }
            sentinel = Sentinel(  # type: ignore[no-untyped-call]  # It is untyped in redis-py.
                list(address.hosts), sentinel_kwargs=of_sentinels
            )
            master = sentinel.master_for(address.service, db=address.db, **common)
            return _ServerClient(master, sentinel.sentinels)
