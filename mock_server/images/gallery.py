"""Keeps the pictures that were drawn, and draws the others beside the event loop.

Pillow is slow to import, so it is imported with the first drawing, in the thread that draws.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from mock_server.images.picture import Picture

Renderer = Callable[[Picture], bytes]


class Gallery:
    """Draws each picture once, however many ask for it, while it stays among those kept."""

    def __init__(
        self,
        *,
        max_bytes: int = 64 * 1024 * 1024,
        workers: int = 2,
        renderer: Renderer | None = None,
    ) -> None:
        self._renderer = renderer or _render
        self._workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._is_closed = False
        self._drawing: dict[Picture, Future[bytes]] = {}
        self._kept = _Kept(max_bytes)
        self._lock = Lock()  # guards all of the above, for a moment at a time

    async def png(self, picture: Picture) -> bytes:
        """Return the picture as a PNG; who stops waiting does not stop the drawing."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the gallery is closed")
            content = self._kept.get(picture)
            if content is not None:
                return content
            drawing = self._drawing.get(picture) or self._start(picture)
        return await asyncio.shield(asyncio.wrap_future(drawing))

    def close(self) -> None:
        """Finish what is being drawn; cancel what is still waiting, and those who wait for it."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _start(self, picture: Picture) -> Future[bytes]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="gallery")
        drawing = self._pool.submit(self._draw, picture)
        self._drawing[picture] = drawing
        return drawing

    def _draw(self, picture: Picture) -> bytes:
        content = None
        try:
            content = self._renderer(picture)
            return content
        finally:
            with self._lock:
                del self._drawing[picture]
                if content is not None:
                    self._kept.add(picture, content)


class _Kept:
    """The contents asked for last, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._contents: OrderedDict[Picture, bytes] = OrderedDict()

    def get(self, picture: Picture) -> bytes | None:
        content = self._contents.get(picture)
        if content is not None:
            self._contents.move_to_end(picture)
        return content

    def add(self, picture: Picture, content: bytes) -> None:
        """Keep a new content, unless it alone is too large; give up the oldest for it."""
        if len(content) > self._max_bytes:
            return
        self._contents[picture] = content
        self._bytes += len(content)
        while self._bytes > self._max_bytes:
            _, oldest = self._contents.popitem(last=False)
            self._bytes -= len(oldest)


def _render(picture: Picture) -> bytes:
    from mock_server.images.render import render  # noqa: PLC0415

    return render(picture)
