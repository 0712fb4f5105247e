"""Wait for a condition in a sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

import msgspec
from starlette.requests import Request

from mock_server.control.errors import ControlError
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Change, Notice
from mock_server.domain.store import SandboxReader, Store
from mock_server.web.wire_faults import EXTENSION, Connection

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LOOK_EVERY_S = 0.1  # Whether the store can be used again.


class Condition(Protocol[T_co]):
    """What a client waits for. Many waits can be open, so each must handle an event quickly."""

    def look(self, sandbox: SandboxReader) -> tuple[T_co, bool]:
        """Return an observation of the sandbox now, and whether the condition is met."""

    def is_about(self, notice: Notice) -> bool:
        """Record an event. Return False only if it cannot meet the condition.

        This is called during the command that causes the event, so it must not raise.
        """

    def next_s(self, sandbox: SandboxReader) -> float | None:
        """Return the real seconds until time alone may meet the condition, or None."""


class Waited(msgspec.Struct, Generic[T], frozen=True):
    """The end of a wait: the last observation, and whether the condition is met."""

    seen: T
    is_met: bool
    waited_s: float  # It is at most the timeout.


async def until(
    store: Store,
    sandbox: SandboxReader,
    condition: Condition[T],
    timeout_s: float,
    request: Request,
) -> Waited[T]:
    """Block until a condition is met, and return how the wait has ended.

    The wait ends after `timeout_s` real seconds at the latest, or when the sandbox is deleted. It
    survives an outage of the store. Raises StoreUnavailable if the outage lasts longer than
    `timeout_s`, and ControlError (400) if the client closes the connection or its sending side.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    woken = asyncio.Event()
    is_dropped = False

    def follower(notice: Notice) -> None:
        nonlocal is_dropped
        is_dropped = is_dropped or notice is Change.DROPPED or notice is Change.REMOVED
        if condition.is_about(notice) or is_dropped:
            woken.set()

    store.follow(sandbox.id, follower)
    leaving = asyncio.ensure_future(_client_left(request))
    leaving.add_done_callback(lambda _: woken.set())
    try:
        while True:
            woken.clear()
            if store.problem is not None and not store.is_immediate:
                await _until_current(store, sandbox.id, deadline)
            seen, is_met = condition.look(sandbox)
            left_s = deadline - loop.time()
            if leaving.done() and not is_met:
                raise ControlError(
                    400, "connection: closed by the client, so the wait was cancelled"
                )
            if is_met or left_s <= 0 or is_dropped:
                return Waited(seen, is_met, timeout_s - max(0.0, left_s))
            soon_s = condition.next_s(sandbox)
            pause_s = left_s if soon_s is None else min(left_s, soon_s)
            try:
                async with asyncio.timeout(pause_s):
                    await woken.wait()
            except TimeoutError:
                continue
    finally:
        leaving.cancel()
        store.unfollow(sandbox.id, follower)


@asynccontextmanager
async def while_client_waits(request: Request, grace_s: float) -> AsyncIterator[None]:
    """Cancel the block and raise TimeoutError `grace_s` seconds after the client has left.

    A client leaves when it closes the connection or its sending side.
    """
    async with asyncio.timeout(None) as limit:
        leaving = asyncio.ensure_future(_limit_when_left(request, limit, grace_s))
        try:
            yield
        finally:
            leaving.cancel()


async def _limit_when_left(request: Request, limit: asyncio.Timeout, grace_s: float) -> None:
    await _client_left(request)
    limit.reschedule(asyncio.get_running_loop().time() + grace_s)


async def _client_left(request: Request) -> None:
    connection: Connection | None = request.scope.get("extensions", {}).get(EXTENSION)
    if connection is None:  # The application is called without a connection.
        await asyncio.get_running_loop().create_future()
    else:
        await connection.stopped_sending()


async def _until_current(store: Store, sandbox_id: str, deadline: float) -> None:
    """Wait until the sandbox contains what other processes did during an outage of the store.

    Raises StoreUnavailable at the deadline: until then, nobody knows whether a condition is met.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            await store.read(sandbox_id)
        except StoreUnavailable:
            left_s = deadline - loop.time()
            if left_s <= 0:
                raise
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))
        else:
            return
