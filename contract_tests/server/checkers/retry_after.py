"""LIM-5: the header Retry-After of every 429."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import Exchange
from contract_tests.server.checkers.violation import Violation

_DIGITS_MAX: Final = 9


def check_header(
    step: Exchange, *, is_required: bool, is_sent: bool = True, wait_ms: int | None = None
) -> Iterator[Violation]:
    """Judge the header of a 429.

    `is_sent` says whether it may be sent at all, and `wait_ms` after which time a request is
    certainly accepted again, but not a second earlier.
    """
    written = step.response.header("Retry-After")
    if written is None:
        if is_required:
            yield _violation("missing", "Retry-After in whole seconds", step)
        return
    if not is_sent:
        yield _violation("sent", "no Retry-After, as configured", step)
        return
    seconds = _seconds(written)
    if seconds is None and (is_required or not _is_date(written)):
        yield _violation("form", "Retry-After in whole seconds, at least 1", step)
    elif wait_ms is not None and seconds is not None and seconds != max(1, ceil(wait_ms / 1000)):
        expected = (
            f"Retry-After {max(1, ceil(wait_ms / 1000))}: a request is accepted in {wait_ms} ms"
        )
        yield _violation("value", expected, step)


def _seconds(written: str) -> int | None:
    is_number = written.isascii() and written.isdecimal() and len(written) <= _DIGITS_MAX
    return int(written) if is_number and int(written) >= 1 else None


def _is_date(written: str) -> bool:
    try:
        parsedate_to_datetime(written)
    except ValueError:
        return False
    return True


def _violation(kind: str, expected: str, step: Exchange) -> Violation:
    return Violation(
        clause="LIM-5",
        kind=kind,
        expected=expected,
        seen=f"Retry-After: {step.response.header('Retry-After')}; {shown(step)}",
        event=step.number,
    )
