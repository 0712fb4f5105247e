"""The sandboxes that a run creates on a mock, and that it removes at its end."""

import logging
from collections.abc import Iterable
from typing import Final

import httpx

_LOG: Final = logging.getLogger(__name__)


class OwnSandboxes:
    """Removes the sandboxes of the keys that a run made up, and no others.

    The requests go past the worlds of the cases, so that no recording contains them.
    """

    def __init__(self, http: httpx.Client, base_url: str) -> None:
        self._http = http
        self._url = f"{base_url}/_mock/sandbox?remove=true"
        self._keys: dict[str, None] = {}

    def add(self, keys: Iterable[str]) -> None:
        """Note API keys that the run is about to use. Several threads may call this."""
        self._keys.update(dict.fromkeys(keys))

    def remove(self) -> None:
        """Remove all these sandboxes; log a warning if the mock does not respond."""
        for key in self._keys:
            try:
                self._http.delete(self._url, headers={"Authorization": f"Bearer {key}"})
            except httpx.HTTPError as error:
                # The run is over and its results are known: this must not change them.
                _LOG.warning("the sandboxes of this run were not deleted: %s", error)
                return
