"""Check reference images by their content, after fetching or decoding them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urljoin

from mock_server.domain.data_url import DataTooLarge, decode, is_data_url
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.references import FormatRecogniser
from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.egress import Egress
from mock_server.runtime.fair_places import FairPlaces
from mock_server.runtime.guarded_client import MAX_IDLE, GuardedClient, Response
from mock_server.runtime.guarded_network import EgressBlocked, GuardedNetwork
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.request_head import request_head
from mock_server.runtime.transport_errors import ExchangeFailed, shorten
from mock_server.runtime.web_url import WebUrl, parse_web_url

_Subject = TypeVar("_Subject", bytes, str)

MAX_BYTES: Final = 10 * 1024 * 1024
_MAX_DOWNLOADS: Final = 128
_SUPPORTED_FORMATS: Final = frozenset({"JPEG", "PNG", "WEBP"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_SHOWN_LENGTH = 120  # characters of a URL in a reason
# Up to this many bytes or characters, starting a thread takes longer than the check.
_MAX_INLINE_SIZE = 64 * 1024
_HEADERS: Final = {"Accept": "image/*", "Accept-Encoding": "identity"}


class HttpImageChecker:
    """Fetches the images of a call at the same time, each within `timeout_s` real seconds.

    Each download waits for one of the places, without a time limit. At most `max_idle` idle
    connections are kept. `recognise_format` may run in a thread.
    """

    def __init__(
        self,
        egress: Egress,
        recognise_format: FormatRecogniser,
        *,
        hosts: HostLookup | None = None,
        places: FairPlaces | None = None,
        max_idle: int = MAX_IDLE,
        timeout_s: float = 5.0,
        max_redirects: int = 3,
    ) -> None:
        self._recognise_format = recognise_format
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._places = places or FairPlaces(_MAX_DOWNLOADS, _MAX_DOWNLOADS)
        network = GuardedNetwork(egress, hosts or HostLookup(DnsResolver()))
        self._client = GuardedClient(network, max_idle=max_idle)

    async def find_bad_image(
        self, urls: Sequence[str], owner: str = "", *, max_bytes: int = MAX_BYTES
    ) -> BadImage | None:
        """Return the first unusable image, or None if all are usable.

        Once that image is known, the requests for later images are cancelled. `owner` is the
        sandbox: lookups of names and downloads for one sandbox do not delay another one.
        """
        async with asyncio.TaskGroup() as group:
            checks = [group.create_task(self._check(url, owner, max_bytes)) for url in urls]
            for index, check in enumerate(checks):
                found = await check
                if found is not None:
                    for later in checks[index + 1 :]:
                        later.cancel()
                    return BadImage(index, found.problem, f"{_shown(urls[index])}: {found}")
        return None

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _check(self, url: str, owner: str, max_bytes: int) -> "_InvalidImage | None":
        """Return what is wrong with one image, or None."""
        try:
            if is_data_url(url):
                await _off_loop_if_large(partial(self._check_data, max_bytes), url)
            else:
                content = await self._downloaded(url, owner, max_bytes)
                await _off_loop_if_large(self._check_content, content)
        except _InvalidImage as found:
            return found
        except TimeoutError:
            return _InvalidImage(
                ImageProblem.UNREACHABLE, f"incomplete after {self._timeout_s:g} s"
            )
        except (EgressBlocked, ExchangeFailed) as failure:
            return _InvalidImage(ImageProblem.UNREACHABLE, str(failure))
        return None

    def _check_data(self, max_bytes: int, url: str) -> None:
        try:
            content = decode(url, max_bytes)
        except DataTooLarge as error:
            raise _InvalidImage(ImageProblem.TOO_LARGE, str(error)) from error
        except ValueError as error:
            raise _InvalidImage(ImageProblem.WRONG_FORMAT, str(error)) from error
        self._check_content(content)

    def _check_content(self, content: bytes) -> None:
        name = self._recognise_format(content)
        if name not in _SUPPORTED_FORMATS:
            found = f"is a {name} image" if name else "is not an image"
            raise _InvalidImage(ImageProblem.WRONG_FORMAT, f"{found}; must be JPEG, PNG or WEBP")

    async def _downloaded(self, url: str, owner: str, max_bytes: int) -> bytes:
        # Waiting for a place does not count, because the image does not cause it.
        async with self._places.place(owner), asyncio.timeout(self._timeout_s):
            return await self._fetch(url, owner, max_bytes)

    async def _fetch(self, url: str, owner: str, max_bytes: int) -> bytes:
        """Return the content at a URL. The egress policy applies to every redirect."""
        target = _target(url)
        for _ in range(self._max_redirects + 1):
            response = await self._client.send(
                target,
                [request_head("GET", target, _HEADERS)],
                owner=owner,
                max_body_bytes=max_bytes,
            )
            try:
                location = response.header(b"location")
                if response.status not in _REDIRECTS or location is None:
                    return await _content(response, max_bytes)
            finally:
                response.release()
            target = _redirected(target, location)
        raise _InvalidImage(ImageProblem.UNREACHABLE, f"more than {self._max_redirects} redirects")


class _InvalidImage(Exception):
    """An image is unusable; the message says why."""

    def __init__(self, problem: ImageProblem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem


async def _off_loop_if_large(check: Callable[[_Subject], None], subject: _Subject) -> None:
    if len(subject) <= _MAX_INLINE_SIZE:
        check(subject)
    else:
        await asyncio.to_thread(check, subject)


async def _content(response: Response, max_bytes: int) -> bytes:
    if response.status != 200:
        raise _InvalidImage(
            ImageProblem.UNREACHABLE, f"the server returned status {response.status}"
        )
    content = await response.body()
    if content is None:
        raise _InvalidImage(ImageProblem.TOO_LARGE, f"more than {max_bytes} bytes")
    return content


def _target(url: str) -> WebUrl:
    try:
        return parse_web_url(url)
    except ValueError as error:
        raise _InvalidImage(ImageProblem.UNREACHABLE, str(error)) from error


def _redirected(url: WebUrl, location: str) -> WebUrl:
    try:
        return parse_web_url(urljoin(str(url), location))
    except ValueError as error:
        reason = f"redirects to {_shown(location)}: {error}"
        raise _InvalidImage(ImageProblem.UNREACHABLE, reason) from error


def _shown(url: str) -> str:
    return shorten(url, _MAX_SHOWN_LENGTH)
