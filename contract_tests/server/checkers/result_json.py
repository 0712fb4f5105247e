"""Reads `resultJson`, a string that holds JSON (STA-6)."""

from collections.abc import Mapping
from typing import Any

from contract_tests.server.checkers.json_values import decoded, members_of


def is_result(written: Any) -> bool:
    """Return whether the value is as the contract says, with absolute URLs."""
    urls = _urls(written)
    return bool(urls) and all(
        isinstance(url, str) and url.startswith(("http://", "https://")) for url in urls
    )


def result_urls(data: Mapping[str, Any]) -> list[str]:
    """Return the URLs in `resultJson` of a status response; empty if it has no list."""
    return [url for url in _urls(data.get("resultJson")) if isinstance(url, str)]


def _urls(written: Any) -> list[Any]:
    if not isinstance(written, str):
        return []
    urls = members_of(decoded(written.encode("utf-8", "replace"))).get("resultUrls")
    return urls if isinstance(urls, list) else []
