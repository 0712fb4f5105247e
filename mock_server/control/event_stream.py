"""Stream the changes of a sandbox to one reader, as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence

from mock_server.control.event_feed import EventFeed, lost_changes
from mock_server.control.event_text import comment

HEARTBEAT_S = 15.0
MAX_WAITING = 1000  # A slow reader loses older changes. A comment says how many.
MAX_WAITING_BYTES = 8 * 1024 * 1024  # The texts are shared by all readers.
_MAX_SENT_BYTES = 64 * 1024  # Each connection copies the texts that it sends.
_LISTENING = comment("listening")
_HEARTBEAT = comment("heartbeat")


class EventStream:
    """The stream of one reader of one sandbox.

    `last_seen` is the number of the last exchange that the reader got from an earlier stream.
    """

    def __init__(
        self, feed: EventFeed, *, last_seen: int | None = None, heartbeat_s: float = HEARTBEAT_S
    ) -> None:
        self._feed = feed
        self._last_seen = last_seen
        self._heartbeat_s = heartbeat_s
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._lost = 0
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_ended = False

    def push(self, texts: Sequence[bytes]) -> None:
        """Send events as soon as the reader has received those before."""
        self._waiting.extend(texts)
        self._bytes += sum(map(len, texts))
        while len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            self._bytes -= len(self._waiting.popleft())
            self._lost += 1
        self._woken.set()

    def end(self) -> None:
        """End the stream after the events that are due now. Any thread may call this."""
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield encoded events and comments until the stream ends."""
        missed = self._feed.join(self, self._last_seen)
        try:
            yield _LISTENING
            for text in missed:
                yield text
                await asyncio.sleep(0)  # Sending to a fast reader never waits.
            while True:
                self._woken.clear()
                is_ended = self._is_ended
                if is_ended:
                    self._feed.catch_up()
                while text := self._take():
                    yield text
                    if self._waiting:
                        await asyncio.sleep(0)  # See above.
                if is_ended:
                    return
                if not await self._is_woken():
                    yield _HEARTBEAT
        finally:
            self._feed.leave(self)

    def _take(self) -> bytes:
        """Return the waiting texts as one, up to about `_MAX_SENT_BYTES`."""
        texts = [lost_changes(self._lost)] if self._lost else []
        self._lost = size = 0
        while self._waiting and size < _MAX_SENT_BYTES:
            texts.append(self._waiting.popleft())
            size += len(texts[-1])
        self._bytes -= size
        return b"".join(texts)

    async def _is_woken(self) -> bool:
        """Wait for events or the end. Return False if the heartbeat is due first."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True
