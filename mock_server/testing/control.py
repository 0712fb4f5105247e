"""Control calls for one API key."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import httpx

Json = dict[str, Any]

# The longest wait call of the control plane takes 300 s.
_TIMEOUT_S = 330.0


class ControlError(Exception):
    """The mock rejected a control call; the message says why."""


class WaitTimeout(AssertionError):
    """The expected state was not reached in time; the message shows the last one."""


class MockNotFound(Exception):
    """No mock server answers at an address; the message quotes the error."""


class Control:
    """An HTTP client for the control plane of a mock server.

    `base_url` is the server's URL, such as `http://127.0.0.1:8080`. Close the client after use.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url}/_mock",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            transport=httpx.HTTPTransport(verify=False) if base_url.startswith("http:") else None,
        )

    def call(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> Json:
        """Send a control call and return the JSON object of its response.

        `path` is relative to `/_mock`. Query parameters that are None are not sent.
        Raise ControlError if the call is rejected, WaitTimeout if a wait call times out, and
        httpx.TransportError if there is no response.
        """
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        response = self._http.request(method, path, json=body, params=params)
        if response.status_code == 204:
            return {}
        document: Json = response.json()
        if response.status_code == 408:
            raise WaitTimeout(f"{document['data']['error']}; seen: {response.text[:2000]}")
        if response.status_code != 200:
            raise ControlError(f"{method} /_mock{path}: {document['data']['error']}")
        return document

    def close(self) -> None:
        self._http.close()


def require_mock(base_url: str) -> None:
    """Raise MockNotFound unless a mock server answers at this address."""
    try:
        with closing(Control(base_url, "no-key")) as control:
            _ = control.call("GET", "/info")["version"]
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ControlError,
        LookupError,
        ValueError,
        TypeError,
    ) as error:
        raise MockNotFound(f"no mock server answers at {base_url}: {error!r}") from error
