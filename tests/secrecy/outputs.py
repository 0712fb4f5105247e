"""What programs have shown, and the search for keys in all of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path

import httpx

from tests.patience import PATIENCE_S
from tests.secrecy.key_search import found_in


class Outputs:
    """The outputs of programs, by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[bytes]] = defaultdict(list)
        self.requests: set[tuple[str, str, str]] = set()  # Method, path and query.
        self.responses: list[httpx.Response] = []

    @property
    def names(self) -> Collection[str]:
        return self._by_name.keys()

    def add(self, name: str, content: bytes | str) -> None:
        """Add an output; several may have the same name."""
        self._by_name[name].append(content.encode() if isinstance(content, str) else content)

    def add_files(self, paths: Iterable[Path]) -> None:
        """Add files, with their names in their folders."""
        for path in paths:
            if path.is_file():
                self.add(path.name, path.name.encode() + b"\n" + path.read_bytes())

    def client(self, base_url: str) -> httpx.Client:
        """Return a client that adds each response with its headers."""
        hooks = {"response": [self._add_response]}
        return httpx.Client(
            base_url=base_url, event_hooks=hooks, timeout=PATIENCE_S, trust_env=False
        )

    def with_key(self, key: str) -> list[str]:
        """Return the outputs that contain a form of a key: their names, with the place."""
        return [
            f"{name}: {place}"
            for name, texts in self._by_name.items()
            for text in texts
            if (place := found_in(text, key)) is not None
        ]

    def _add_response(self, response: httpx.Response) -> None:
        response.read()
        method, url = response.request.method, response.url
        query = url.query.decode()
        self.requests.add((method, url.path, query))
        self.responses.append(response)
        name = f"{method} {url.path[:60]}?{query[:30]} {response.status_code}"
        headers = b"\n".join(b": ".join(each) for each in response.headers.raw)
        self.add(name, headers + b"\n\n" + response.content)
