"""The httpx clients that the clients use unless the caller passes one."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from client_reference.limited_network import LimitedBackend

# If threads wait for connections, a pool that closes one may choose one that is in use.
_POOL: Final = httpx.Limits(max_connections=500, max_keepalive_connections=500)
# For each request, httpx checks every connection and every waiting request. So the asynchronous
# client sends few requests at once.
_ASYNC_POOL: Final = httpx.Limits(max_connections=100, max_keepalive_connections=100)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


def open_client(base_url: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    """Return a client for blocking code; without a transport its requests obey `limit_network`."""
    http = httpx.Client(
        transport=transport, limits=_POOL, mounts=_direct(base_url), cookies=_no_cookies()
    )
    if transport is None:
        _limit_time(http)
    return http


def open_async_client(
    base_url: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """Return a client for asyncio and trio."""
    return httpx.AsyncClient(
        transport=transport, limits=_ASYNC_POOL, mounts=_direct(base_url), cookies=_no_cookies()
    )


def _limit_time(http: httpx.Client) -> None:
    """Replace the network of the transports.

    httpx has no public way to do so and to keep the proxies of the environment.
    """
    for transport in (http._transport, *http._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool  # noqa: SLF001
            pool._network_backend = LimitedBackend(pool._network_backend)  # noqa: SLF001


def _direct(base_url: str) -> Mapping[str, None]:
    """Return the hosts that are never reached through a proxy: it would receive the API key."""
    hosts = {*_LOOPBACK}
    host = urlsplit(base_url).hostname or ""
    if _is_loopback(host):
        hosts.add(f"[{host}]" if ":" in host else host)
    return {f"all://{each}": None for each in sorted(hosts)}


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _no_cookies() -> CookieJar:
    """Return a jar that stays empty: the API has no cookies, and a server could send any number."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
