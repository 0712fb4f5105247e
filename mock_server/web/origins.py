"""Decide which host names browsers may use, and which web pages may call the server."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from mock_server.domain.addresses import is_loopback
from mock_server.web.cors import EVERY_ORIGIN

_WEB = {"http", "https"}  # A browser extension has another scheme.


class Origins:
    """The hosts and origins that a server trusts.

    With DNS rebinding, a page of another site reaches this server by a name of that site. No public
    DNS serves names of one label, and an address needs no DNS, so these names are safe.
    """

    def __init__(self, allowed_hosts: Collection[str], cors: Collection[str] = ()) -> None:
        self._allowed = {host.casefold() for host in allowed_hosts}
        self._cors = frozenset(cors)

    def serves(self, host: str) -> bool:
        """Return whether a browser may use this `Host` header."""
        return self._is_safe(_name_of_host(host))

    def trusts(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may act without a key, at this `Host` header.

        Pages of this machine, of `--allowed-host`, and of the server itself may.
        """
        scheme, page = _scheme_and_name(origin)
        if scheme not in _WEB or not page:
            return False
        if is_loopback(page) or page.endswith(".localhost") or page in self._allowed:
            return True
        return page == _name_of_host(host) and self._is_safe(page)

    def admits(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may call the server with a key."""
        return EVERY_ORIGIN in self._cors or origin in self._cors or self.trusts(origin, host)

    def is_own_page(self, origin: str, host: str) -> bool:
        """Return whether a page has the host name that its request uses."""
        name = _name_of_host(host)
        return bool(name) and name == _scheme_and_name(origin)[1]

    def _is_safe(self, name: str) -> bool:
        if name in self._allowed or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ip_address(name)
        except ValueError:
            # Containers reach each other by names of one label.
            return bool(name) and "." not in name and ":" not in name
        return True


def _name_of_host(host: str) -> str:
    return _scheme_and_name(f"//{host}")[1]


def _scheme_and_name(url: str) -> tuple[str, str]:
    """Return the scheme and the host name of an address, empty if they cannot be read."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").casefold()
    except ValueError:
        return "", ""
