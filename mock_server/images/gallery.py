"""Draw result pictures in worker threads and cache them.

Pillow is slow to import, so the first drawing imports it, in the thread that draws.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from mock_server.images.picture import Picture

Renderer = Callable[[Picture], bytes]


class Gallery:
    """Draws each picture once, however many requests need it, while it stays in the cache.

    The cache holds at most `max_bytes` of PNG data and drops the least recently used pictures.
    At most `workers` pictures are drawn at the same time.
    """

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
        self._drawings: dict[Picture, Future[bytes]] = {}
        self._cache = _PictureCache(max_bytes)
        self._lock = Lock()  # The event loop and the workers share every attribute above.

    async def png(self, picture: Picture) -> bytes:
        """Return the picture as a PNG.

        Cancelling the call does not cancel the drawing, because another request may wait for it.
        Raise RuntimeError when the gallery is closed.
        """
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the gallery is closed")
            content = self._cache.get(picture)
            if content is not None:
                return content
            drawing = self._drawings.get(picture) or self._start_drawing(picture)
        return await asyncio.shield(asyncio.wrap_future(drawing))

    def close(self) -> None:
        """Finish the drawings in progress; cancel queued ones and the calls that wait for them."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _start_drawing(self, picture: Picture) -> Future[bytes]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="gallery")
        drawing = self._pool.submit(self._draw, picture)
        self._drawings[picture] = drawing
        return drawing

    def _draw(self, picture: Picture) -> bytes:
        content = None
        try:
            content = self._renderer(picture)
            return content
        finally:
            with self._lock:
                del self._drawings[picture]
                if content is not None:
                    self._cache.add(picture, content)


class _PictureCache:
    """A least-recently-used cache of PNG data, limited to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._used_bytes = 0
        self._contents: OrderedDict[Picture, bytes] = OrderedDict()

    def get(self, picture: Picture) -> bytes | None:
        content = self._contents.get(picture)
        if content is not None:
            self._contents.move_to_end(picture)
        return content

    def add(self, picture: Picture, content: bytes) -> None:
        """Store a picture and drop older ones to make room, unless it alone exceeds the limit."""
        if len(content) > self._max_bytes:
            return
        self._contents[picture] = content
        self._used_bytes += len(content)
        while self._used_bytes > self._max_bytes:
            _, oldest = self._contents.popitem(last=False)
            self._used_bytes -= len(oldest)


def _render(picture: Picture) -> bytes:
    from mock_server.images.render import render  # noqa: PLC0415  # Pillow is slow to import.

    return render(picture)
