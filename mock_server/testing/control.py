"""Calls of the control plane for one key."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import httpx

Json = dict[str, Any]


class ControlRefused(Exception):
    """The control plane has refused a call; the message says what is wrong with it."""


class NotYet(AssertionError):
    """What was waited for did not come in time; the message says what was seen."""


class NoMock(Exception):
    """No mock server answers at an address; the message says what does."""


class Control:
    def __init__(self, base_url: str, api_key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url}/_mock",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=330.0,  # longer than the longest wait
            trust_env=False,
            transport=httpx.HTTPTransport(verify=False) if base_url.startswith("http:") else None,
        )

    def call(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> Json:
        """Raise ControlRefused, NotYet, httpx.TransportError."""
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        answer = self._http.request(method, path, json=body, params=given)
        if answer.status_code == 204:
            return {}
        told: Json = answer.json()
        if answer.status_code == 408:
            raise NotYet(_sentence(told, answer.text))
        if answer.status_code != 200:
            raise ControlRefused(f"{method} /_mock{path}: {told['data']['error']}")
        return told

    def close(self) -> None:
        self._http.close()


def find_mock(base_url: str) -> None:
    """Raise NoMock unless a mock server answers there."""
    try:
        with closing(Control(base_url, "no-key")) as control:
            _ = control.call("GET", "/info")["version"]
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ControlRefused,
        LookupError,
        ValueError,
        TypeError,
    ) as error:
        raise NoMock(f"no mock server answers at {base_url}: {error!r}") from error


def _sentence(told: Json, text: str) -> str:
    return f"{told['data']['error']}; seen: {text[:2000]}"
