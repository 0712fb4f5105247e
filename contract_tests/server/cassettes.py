"""Keeps what passed in a run, and plays it back with no network: the same judgement again."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from contract_tests.contract.errors import CassetteError
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    Exchange,
    Pause,
    Request,
    Response,
)
from contract_tests.server.interruptions import TargetFailure
from contract_tests.server.target import Target

VERSION: Final = 1
_INDEX: Final = "cassette.json"

E = TypeVar("E", Exchange, Burst, Pause, Deliveries)
D = TypeVar("D")

_EVENTS: Final = msgspec.json.Decoder(tuple[Event, ...])


class Cassette(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording says of its run; the events of a case lie in a file of its id."""

    version: int = VERSION
    target: Target
    profile: str
    seed: int
    cases: tuple[str, ...]
    """All that were chosen, in order."""
    skipped: dict[str, str] = {}
    """Why some of them were not asked."""


def begin(directory: Path) -> None:
    """Make room for a recording; it counts once its index is written."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _INDEX).unlink(missing_ok=True)


def save(directory: Path, case_id: str, events: Sequence[Event]) -> None:
    (directory / f"{case_id}.json").write_bytes(msgspec.json.encode(events))


def save_index(directory: Path, cassette: Cassette) -> None:
    content = msgspec.json.format(msgspec.json.encode(cassette))
    (directory / _INDEX).write_bytes(content)


def is_cassette(directory: Path) -> bool:
    return (directory / _INDEX).is_file()


def load_index(directory: Path) -> Cassette:
    """Raise CassetteError."""
    cassette = _decoded(directory / _INDEX, msgspec.json.Decoder(Cassette))
    if cassette.version != VERSION:
        raise CassetteError(f"{directory}: is of version {cassette.version}, not {VERSION}")
    return cassette


def load(directory: Path, case_id: str) -> tuple[Event, ...]:
    """Raise CassetteError."""
    return _decoded(directory / f"{case_id}.json", _EVENTS)


class ReplayWorld:
    """Gives back what was recorded, as long as the case asks for the same."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = deque(events)

    def exchange(self, request: Request) -> Response:
        event = self._next(Exchange, request)
        self._compare(request, event.request)
        return event.response

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        event = self._next(Burst, request)
        self._compare(request, event.request)
        if count != event.count:
            raise TargetFailure(
                f"the recording holds {event.count} times, not {count}: record it anew"
            )
        return event.statuses, event.last

    def pause(self, seconds: float) -> None:
        self._next(Pause, f"a pause of {seconds:g} s")

    def react(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        """Nobody comes."""

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        return self._next(Deliveries, f"callbacks at {name}").deliveries

    def _next(self, kind: type[E], asked: Request | str) -> E:
        event = self._events.popleft() if self._events else None
        if not isinstance(event, kind):
            raise TargetFailure(
                f"the recording does not go on with {_named(asked)}: record it anew"
            )
        return event

    def _compare(self, asked: Request, recorded: Request) -> None:
        if asked != recorded:
            raise TargetFailure(
                f"the recording holds {recorded.method} {recorded.path} where the case sends"
                f" {asked.method} {asked.path}, or with another body: record it anew"
            )


def _named(asked: Request | str) -> str:
    return asked if isinstance(asked, str) else f"{asked.method} {asked.path}"


def _decoded(path: Path, decoder: msgspec.json.Decoder[D]) -> D:
    try:
        return decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise CassetteError(f"{path}: {error}") from error
