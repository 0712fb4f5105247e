"""Judges reference images: by their addresses, or by fetching them."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from mock_server.domain.catalogue import Model
from mock_server.domain.data_address import is_data_address
from mock_server.domain.ports import BadImage
from mock_server.domain.references import first_untrusted
from mock_server.domain.sandbox_settings import ImageUrls
from mock_server.runtime.egress import Egress

if TYPE_CHECKING:
    from mock_server.runtime.fetcher import HttpImageChecker

Sniff = Callable[[bytes], str | None]


class References:
    def __init__(self, egress: Egress, sniff: Sniff) -> None:
        self._egress = egress
        self._sniff = sniff
        self._fetchers: dict[int, HttpImageChecker] = {}  # by the size that a model allows

    async def first_bad(
        self, urls: tuple[str, ...], model: Model, how: ImageUrls
    ) -> BadImage | None:
        """Return the first unusable image; `trust` sends nothing into any network."""
        if how == "fetch":
            return await self._fetcher(model.max_image_bytes).first_bad(urls)
        judged = (urls, self._sniff, model.image_formats, model.max_image_bytes)
        if any(is_data_address(url) for url in urls):  # decoding takes time
            return await asyncio.to_thread(first_untrusted, *judged)
        return first_untrusted(*judged)

    async def aclose(self) -> None:
        for fetcher in self._fetchers.values():
            await fetcher.aclose()

    def _fetcher(self, max_bytes: int) -> "HttpImageChecker":
        from mock_server.runtime.fetcher import HttpImageChecker  # noqa: PLC0415  # httpx is slow

        if max_bytes not in self._fetchers:
            self._fetchers[max_bytes] = HttpImageChecker(
                self._egress, self._sniff, max_bytes=max_bytes
            )
        return self._fetchers[max_bytes]
