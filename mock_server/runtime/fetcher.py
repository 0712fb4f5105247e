"""Looks at reference images: fetches or decodes each, and judges it by its content."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias, TypeVar
from urllib.parse import urljoin

import httpx

from mock_server.domain.data_address import DataTooLarge, decode, is_data_address
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.runtime.egress import Egress
from mock_server.runtime.failures import brief
from mock_server.runtime.guarded_http import (
    Blocked,
    GuardedTransport,
    credentials,
    web_url,
)
from mock_server.runtime.lookups import Resolver, system_resolver
from mock_server.version import __version__

Sniff: TypeAlias = Callable[[bytes], str | None]
_Subject = TypeVar("_Subject", bytes, str)

_RIGHT_FORMATS: Final = frozenset({"JPEG", "PNG", "WEBP"})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SHOWN_MAX = 120  # characters of an address in a reason
_QUICK_SIZE = 64 * 1024  # bytes or characters; up to here, a thread costs more than it saves
_HEADERS: Final = {
    "User-Agent": f"apixo-testkit-mock/{__version__}",
    "Accept": "image/*",
    "Accept-Encoding": "identity",
}


class HttpImageChecker:
    """Fetches the images of one call together; they share `timeout_s` real seconds.

    `sniff` names the format of a content, such as "PNG", or says None.  It may run in a thread.
    """

    def __init__(  # each is a limit of its own, and has a default
        self,
        egress: Egress,
        sniff: Sniff,
        *,
        timeout_s: float = 5.0,
        max_redirects: int = 3,
        max_bytes: int = 10 * 1024 * 1024,
        resolve: Resolver = system_resolver,
    ) -> None:
        self._sniff = sniff
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._max_bytes = max_bytes
        self._transport = GuardedTransport(egress, resolve)

    async def first_bad(self, urls: Sequence[str]) -> BadImage | None:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._flaw(url, deadline)) for url in urls]
            for index, look in enumerate(looks):
                flaw = await look
                if flaw is not None:
                    for other in looks[index + 1 :]:
                        other.cancel()
                    return BadImage(index, flaw.problem, f"{_shown(urls[index])}: {flaw}")
        return None

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _flaw(self, url: str, deadline: float) -> "_Flaw | None":
        """Return what is wrong with one image, or None."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._judge(url)
        except _Flaw as flaw:
            return flaw
        except TimeoutError:
            return _Flaw(ImageProblem.UNREACHABLE, f"not complete within {self._timeout_s:g} s")
        except (Blocked, httpx.TransportError) as failure:
            return _Flaw(ImageProblem.UNREACHABLE, str(failure))
        return None

    async def _judge(self, url: str) -> None:
        if is_data_address(url):
            await _off_loop_if_large(self._judge_data, url)
        else:
            await _off_loop_if_large(self._judge_content, await self._fetched(url))

    def _judge_data(self, url: str) -> None:
        try:
            content = decode(url, self._max_bytes)
        except DataTooLarge as error:
            raise _Flaw(ImageProblem.TOO_LARGE, str(error)) from error
        except ValueError as error:
            raise _Flaw(ImageProblem.WRONG_FORMAT, str(error)) from error
        self._judge_content(content)

    def _judge_content(self, content: bytes) -> None:
        name = self._sniff(content)
        if name not in _RIGHT_FORMATS:
            found = f"a {name}" if name else "something else"
            raise _Flaw(ImageProblem.WRONG_FORMAT, f"{found}, not a JPEG, PNG or WEBP image")

    async def _fetched(self, url: str) -> bytes:
        """Return the content behind an address; every redirect passes the guard like the first."""
        target = _target(url)
        for _ in range(self._max_redirects + 1):
            answer = await self._transport.handle_async_request(_request(target))
            async with aclosing(answer) as response:
                location = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or location is None:
                    return await self._content(response)
            target = _redirected(target, location)
        raise _Flaw(ImageProblem.UNREACHABLE, f"more than {self._max_redirects} redirects")

    async def _content(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            raise _Flaw(ImageProblem.UNREACHABLE, f"answered with status {response.status_code}")
        content = bytearray()
        async for part in response.aiter_raw():
            content += part
            if len(content) > self._max_bytes:
                raise _Flaw(ImageProblem.TOO_LARGE, f"more than {self._max_bytes} bytes")
        return bytes(content)


class _Flaw(Exception):
    """Something is wrong with an image."""

    def __init__(self, problem: ImageProblem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem


async def _off_loop_if_large(judge: Callable[[_Subject], None], subject: _Subject) -> None:
    if len(subject) <= _QUICK_SIZE:
        judge(subject)
    else:
        await asyncio.to_thread(judge, subject)


def _request(url: httpx.URL) -> httpx.Request:
    return httpx.Request("GET", url, headers={**_HEADERS, **credentials(url)})


def _target(url: str) -> httpx.URL:
    try:
        return web_url(url)
    except ValueError as error:
        raise _Flaw(ImageProblem.UNREACHABLE, str(error)) from error


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return web_url(urljoin(str(url), location))
    except ValueError as error:
        reason = f"redirects to {_shown(location)}: {error}"
        raise _Flaw(ImageProblem.UNREACHABLE, reason) from error


def _shown(url: str) -> str:
    return brief(url, _SHOWN_MAX)
