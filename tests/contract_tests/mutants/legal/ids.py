"""Legal variations of task ids, which are opaque."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, quote

from mock_server.domain.ports import DeliveryResult, Sender
from tests.contract_tests.mutants.harness import Asked, Break, Parts, Serve, Told
from tests.contract_tests.mutants.legal.variation import Variation
from tests.contract_tests.mutants.senders import Through

_TOLD = re.compile(rb'("task_?[iI]d"\s*:\s*")([^"]+)(")')
_CONTROL = "/_mock/tasks/"


class _Names:
    """Gives each id of the mock another one, and remembers which."""

    def __init__(self, make: Callable[[str, int], str]) -> None:
        self._make = make
        self._new: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def renamed(self, body: bytes) -> bytes:
        def other(found: re.Match[bytes]) -> bytes:
            return found[1] + self._renamed(found[2].decode()).encode() + found[3]

        return _TOLD.sub(other, body)

    def original(self, name: str) -> str:
        return self._old.get(name, name)

    def _renamed(self, old: str) -> str:
        if old not in self._new:
            new = self._make(old, len(self._new))
            self._new[old], self._old[new] = new, old
        return self._new[old]


class _RenamingSender(Through):
    def __init__(self, inner: Sender, names: _Names) -> None:
        super().__init__(inner)
        self._names = names

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        return await self.inner.post(url, self._names.renamed(body), lane)


class OtherIds(Variation):
    def parts(self) -> Parts:
        names = _Names(_SHAPES[self.name])
        answer = _renaming(names)
        return Parts(
            answer=answer, control=answer, sender=lambda inner: _RenamingSender(inner, names)
        )


def _renaming(names: _Names) -> Break:
    async def answer(asked: Asked, serve: Serve) -> Told:
        told = await serve(_original(asked, names))
        is_text = dict(told.headers).get(b"content-type", b"").startswith(b"application/json")
        return replace(told, body=names.renamed(told.body)) if is_text else told

    return answer


def _original(asked: Asked, names: _Names) -> Asked:
    if asked.path.startswith(_CONTROL):
        name, slash, action = asked.path.removeprefix(_CONTROL).rpartition("/")
        if not slash or action not in {"finish", "wait"}:
            name, slash, action = asked.path.removeprefix(_CONTROL), "", ""
        return replace(asked, path=_CONTROL + names.original(name) + slash + action)
    given = parse_qs(asked.query.decode("latin-1")).get("taskId", [])
    if asked.is_status and len(given) == 1 and names.original(given[0]) != given[0]:
        return replace(asked, query=b"taskId=" + quote(names.original(given[0]), safe="").encode())
    return asked


_SHAPES: dict[str, Callable[[str, int], str]] = {
    "ids-that-are-numbers": lambda _, number: str(7_000_000_001 + number * 104_729),
    "ids-of-200-characters": lambda old, _: (old + "x" * 200)[: 199 - len(str(len(old)))] + old[-1],
    "ids-with-reserved-characters": lambda old, _: f"{old}/+==",
    "ids-like-paths": lambda old, _: f"tasks/2026/11/{old}",
    "ids-that-are-uuids": lambda _, number: f"0f8fad5b-d9cb-469f-a165-{number:012x}",
}
_CASES = ("S-STA-00*", "S-STA-01*", "S-SUB-009", "S-CB-001", "S-FAIL-00*")

IDS = tuple(OtherIds(name=name, clause="SUB-1", cases=_CASES) for name in _SHAPES)
