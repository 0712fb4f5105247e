"""Numbers in the query of a control call."""

from collections.abc import Mapping

from mock_server.control.replies import Refused
from mock_server.control.waiting import LONGEST_S
from mock_server.domain.durations import duration_ms


def whole(query: Mapping[str, str], name: str, default: int | None, least: int) -> int | None:
    written = query.get(name)
    if written is None:
        return default
    if not (written.isdecimal() and len(written) < 16 and int(written) >= least):
        raise Refused(400, f"{name}: must be a whole number from {least} on")
    return int(written)


def seconds(query: Mapping[str, str], name: str, default_s: float) -> float:
    """Return how long to wait, in real time."""
    written = query.get(name)
    if written is None:
        return default_s
    try:
        length_s = duration_ms(written) / 1000
    except ValueError as error:
        raise Refused(400, f"{name}: {error}") from error
    if length_s > LONGEST_S:
        raise Refused(400, f"{name}: must be at most {LONGEST_S:g} s")
    return length_s
