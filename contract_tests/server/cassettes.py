"""Records the events of a run and replays them, to judge them again offline."""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from contract_tests.contract.errors import CassetteError, reason_of, written
from contract_tests.contract.whole_files import write_whole
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    HttpExchange,
    Pause,
    Request,
    Response,
)
from contract_tests.server.interruptions import TargetFailure
from contract_tests.server.target import Target

VERSION: Final = 1
_INDEX: Final = "cassette.json"

E = TypeVar("E", HttpExchange, Burst, Pause, Deliveries)
D = TypeVar("D")

_EVENTS: Final = msgspec.json.Decoder(tuple[Event, ...])


class Cassette(msgspec.Struct, frozen=True, kw_only=True):
    """The index of a recording; the events of each case are in a file named after its id."""

    version: int = VERSION
    target: Target
    profile: str
    seed: int
    cases: tuple[str, ...]
    """The ids of all selected cases, in order."""
    skipped: dict[str, str] = {}
    """The ids of cases that did not run, with the reason."""


def begin(directory: Path) -> None:
    """Prepare the directory of a recording; the recording is complete once it has an index."""
    with written(directory, "the recording"):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / _INDEX).unlink(missing_ok=True)


def save(directory: Path, case_id: str, events: Sequence[Event]) -> None:
    """Write the events of one case."""
    with written(directory, "the recording"):
        write_whole(directory / f"{case_id}.json", msgspec.json.encode(events))


def save_index(directory: Path, cassette: Cassette) -> None:
    """Write the index, which completes the recording."""
    content = msgspec.json.format(msgspec.json.encode(cassette))
    with written(directory, "the recording"):
        write_whole(directory / _INDEX, content)


def is_cassette(directory: Path) -> bool:
    """Return whether the directory holds a complete recording."""
    return (directory / _INDEX).is_file()


def load_index(directory: Path) -> Cassette:
    """Return the index of a recording. Raise CassetteError."""
    cassette = _decoded(directory / _INDEX, msgspec.json.Decoder(Cassette))
    if cassette.version != VERSION:
        raise CassetteError(
            f"{directory}: version {cassette.version} is not supported; must be {VERSION}"
        )
    return cassette


def load(directory: Path, case_id: str) -> tuple[Event, ...]:
    """Return the recorded events of one case. Raise CassetteError."""
    return _decoded(directory / f"{case_id}.json", _EVENTS)


class ReplayWorld:
    """A world that returns recorded events, as long as the case sends the same requests."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = deque(events)

    def exchange(self, request: Request) -> Response:
        event = self._next(HttpExchange, request)
        self._compare(request, event.request)
        return event.response

    def burst(self, request: Request, count: int) -> tuple[tuple[tuple[int, int], ...], Response]:
        event = self._next(Burst, request)
        self._compare(request, event.request)
        if count != event.count:
            raise TargetFailure(
                f"the recording has {event.count} requests here, but the case sends {count};"
                " record it again"
            )
        return event.statuses, event.last

    def pause(self, seconds: float) -> None:
        self._next(Pause, f"a pause of {seconds:g} s")

    def script_receiver(self, name: str, reactions: Sequence[tuple[int, float]]) -> None:
        """Do nothing: the recorded deliveries already happened."""

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        return self._next(Deliveries, f"callbacks at {name}").deliveries

    def received(self) -> tuple[Deliveries, ...]:
        """Return the callbacks that were recorded when the case had ended."""
        rest = takewhile(lambda event: isinstance(event, Deliveries), self._events)
        return tuple(event for event in rest if isinstance(event, Deliveries))

    def _next(self, kind: type[E], wanted: Request | str) -> E:
        event = self._events.popleft() if self._events else None
        if not isinstance(event, kind):
            raise TargetFailure(
                f"the recording does not continue with {_named(wanted)}; record it again"
            )
        return event

    def _compare(self, sent: Request, recorded: Request) -> None:
        if sent != recorded:
            raise TargetFailure(
                f"the recording has {recorded.method} {recorded.path}, but the case sends"
                f" {sent.method} {sent.path} or another body; record it again"
            )


def _named(wanted: Request | str) -> str:
    return wanted if isinstance(wanted, str) else f"{wanted.method} {wanted.path}"


def _decoded(path: Path, decoder: msgspec.json.Decoder[D]) -> D:
    try:
        return decoder.decode(path.read_bytes())
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
        raise CassetteError(f"{path}: {reason_of(error)}") from error
