"""When a run of the kit started, how long it took, and which version of the kit it used."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import msgspec

_PACKAGE: Final = "apixo-testkit"
_MINUTE_S: Final = 60


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`started_at` is an instant in UTC as ISO 8601; a text is empty if it is not known."""

    started_at: str = ""
    duration_s: float = 0.0
    kit_version: str = ""


class Stopwatch:
    """Measures a run from the moment in which it is created."""

    def __init__(self) -> None:
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._began_s = time.monotonic()

    def facts(self) -> RunFacts:
        """Return the facts of a run that ends now."""
        return RunFacts(
            started_at=self._started_at.replace("+00:00", "Z"),
            duration_s=round(time.monotonic() - self._began_s, 3),
            kit_version=_kit_version(),
        )


def shown_facts(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Yield the known facts for a reader, as pairs of a label and a text."""
    date, _, time_of_day = facts.started_at.partition("T")
    if time_of_day:
        yield "Date", f"{date} {time_of_day[:5]} UTC"
    if facts.duration_s:
        yield "Duration", _shown_duration(facts.duration_s)
    if facts.kit_version:
        yield "Version", f"{_PACKAGE} {facts.kit_version}"


def _shown_duration(duration_s: float) -> str:
    """Return a duration such as "4.2 s" or "3 min 20 s"."""
    minutes, seconds = divmod(round(duration_s), _MINUTE_S)
    return f"{minutes} min {seconds} s" if minutes else f"{duration_s:.1f} s"


def _kit_version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:  # The folder was copied and not installed.
        return ""
