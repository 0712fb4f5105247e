"""Send the requests of a soak test, and account for each response."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import httpx
import msgspec

from benchmarks.soak.responses import ResponseAccount

_TIMEOUT_S = 60
_PROVENANCE = "mock-fault"  # The header that names injected faults.


class SoakClient:
    """Sends requests on connections that stay open. `open` it before use."""

    def __init__(self, base_url: str, account: ResponseAccount) -> None:
        self._base_url = base_url
        self._account = account
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with httpx.AsyncClient(
            base_url=self._base_url, timeout=_TIMEOUT_S, trust_env=False
        ) as self._client:
            yield

    async def send(
        self,
        name: str,
        method: str,
        path: str,
        key: str,
        *,
        content: object = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (200,),
        may_break: bool = False,
        timeout_s: float = _TIMEOUT_S,
    ) -> httpx.Response | None:
        """Return the response if its status is expected.

        `name` is the kind of the request in the report. With `may_break`, a request without a
        valid response within `timeout_s` is no problem.
        """
        assert self._client is not None
        try:
            response = await self._client.request(
                method,
                path,
                headers={
                    "Authorization": f"Bearer {key}",
                    "Content-Type": "application/json",
                    **(headers or {}),
                },
                content=None if content is None else msgspec.json.encode(content),
                timeout=timeout_s,
            )
        except httpx.HTTPError as error:
            self._account.add_break(name, repr(error), is_injected=may_break)
            return None
        status = response.status_code
        is_injected = _PROVENANCE in response.headers
        self._account.add(name, status, expected, is_injected=is_injected, body=response.text)
        return response if status in expected else None
