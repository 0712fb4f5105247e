"""Check reference images, by their URLs or by fetching them."""

import asyncio
from typing import TYPE_CHECKING

from mock_server.domain.catalogue import Model
from mock_server.domain.data_url import is_data_url
from mock_server.domain.ports import BadImage
from mock_server.domain.references import FormatRecogniser, find_bad_image_by_url
from mock_server.domain.sandbox_settings import ImageUrls
from mock_server.runtime.egress import Egress
from mock_server.runtime.fair_places import FairPlaces
from mock_server.runtime.host_lookup import HostLookup

_MAX_DOWNLOADS_PER_SANDBOX = 32

if TYPE_CHECKING:
    from mock_server.runtime.image_checker import HttpImageChecker


class ReferenceChecker:
    """Checks the reference images of submits in the way that the sandbox's settings choose."""

    def __init__(
        self,
        egress: Egress,
        recognise_format: FormatRecogniser,
        hosts: HostLookup,
        *,
        max_downloads: int,
        max_idle: int,
    ) -> None:
        self._egress = egress
        self._hosts = hosts
        self._recognise_format = recognise_format
        self._places = FairPlaces(max_downloads, min(max_downloads, _MAX_DOWNLOADS_PER_SANDBOX))
        self._max_idle = max_idle
        self._checker: HttpImageChecker | None = None

    async def find_bad_image(
        self, urls: tuple[str, ...], model: Model, mode: ImageUrls, owner: str
    ) -> BadImage | None:
        """Return the first unusable image, or None if all are usable.

        The mode `fetch` downloads the images; `trust` sends no request. `owner` is the sandbox.
        """
        if mode == "fetch":
            checker = self._http_checker()
            return await checker.find_bad_image(urls, owner, max_bytes=model.max_image_bytes)
        arguments = (urls, self._recognise_format, model.image_formats, model.max_image_bytes)
        if any(is_data_url(url) for url in urls):
            # Decoding takes too long for the event loop.
            return await asyncio.to_thread(find_bad_image_by_url, *arguments)
        return find_bad_image_by_url(*arguments)

    async def aclose(self) -> None:
        if self._checker is not None:
            await self._checker.aclose()

    def _http_checker(self) -> "HttpImageChecker":
        # Most servers never fetch an image.
        from mock_server.runtime.image_checker import HttpImageChecker  # noqa: PLC0415

        if self._checker is None:
            self._checker = HttpImageChecker(
                self._egress,
                self._recognise_format,
                hosts=self._hosts,
                places=self._places,
                max_idle=self._max_idle,
            )
        return self._checker
