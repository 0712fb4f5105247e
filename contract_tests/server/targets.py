"""Detects what kind of server is under test."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_tests.contract.errors import TargetError, UnreachableError
from contract_tests.server.preflight import no_response, request_balance, require_api
from contract_tests.server.target import Target


def is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def detect_target(
    http: httpx.Client,
    base_url: str,
    api_key: str,
    second_key: str | None = None,
    *,
    is_live: bool,
) -> Target:
    """Return the properties of a server; send a live one only one free request for each key.

    Raises:
        UnreachableError: The server does not respond, or not like the API.
        TargetError: The server rejects the second key.
    """
    if is_live:
        require_api(http, base_url, api_key, request_balance(http, base_url, api_key))
        _require_second_key(http, base_url, second_key)
        return Target(
            base_url=base_url,
            is_live=True,
            has_other_key=second_key is not None,
            has_own_keys=False,
        )
    derived = detection_key(api_key)
    balance = request_balance(http, base_url, derived)
    require_api(http, base_url, derived, balance)
    try:
        takes_any_key = balance.status != 401
        # A mock creates a sandbox for each key that it sees: the user's own key is not used here.
        key = derived if takes_any_key else api_key
        settings = _settings(http, f"{base_url}/_mock/sandbox", key)
        info = _settings(http, f"{base_url}/_mock/info", key)
    except httpx.HTTPError as error:
        raise UnreachableError(no_response(base_url, error)) from error
    if not takes_any_key:
        _require_second_key(http, base_url, second_key)
    return Target(
        base_url=base_url,
        is_live=False,
        settings=settings,
        info=info,
        has_other_key=takes_any_key or second_key is not None,
        has_own_keys=takes_any_key,
    )


def detection_key(api_key: str) -> str:
    """Return the API key with which the kit detects what kind of server is under test."""
    return derive_key(api_key, "any", "own")


def derive_key(api_key: str, case_id: str, name: str) -> str:
    """Return an API key for one case, so that parallel cases have separate sandboxes."""
    return f"{api_key}-{case_id}-{name}"


def _require_second_key(http: httpx.Client, base_url: str, second_key: str | None) -> None:
    if second_key is not None and request_balance(http, base_url, second_key).status in {401, 403}:
        raise TargetError(
            f"{base_url} rejects the second API key; check APIXO_SECOND_API_KEY, or unset it"
        )


def _settings(http: httpx.Client, url: str, api_key: str) -> dict[str, Any] | None:
    """Return the settings from the control plane, or None without a control plane."""
    answer = http.get(url, headers={"Authorization": f"Bearer {api_key}"})
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    settings = (
        body.get("settings") if answer.status_code == 200 and isinstance(body, dict) else None
    )
    return settings if isinstance(settings, dict) else None
