"""Check the address of a server in `--base-url`."""

from urllib.parse import urlsplit

from contract_tests.contract.errors import TargetError


def origin_of(base_url: str) -> str:
    """Return the base URL without `/api/v1` and trailing slashes. Raise TargetError."""
    try:
        parts = urlsplit(base_url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.query or parts.fragment or "@" in parts.netloc:
        # The message does not show the address, which may contain a password.
        raise TargetError("--base-url: must be a URL such as http://127.0.0.1:8080")
    return base_url.rstrip("/").removesuffix("/api/v1").rstrip("/")
