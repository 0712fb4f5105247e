"""Read `Retry-After`: seconds, or an HTTP date (LIM-5)."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

_LENGTH_MAX = 1000  # A longer header would take long to read.


def retry_after_s(headers: httpx.Headers, now_s: float) -> float | None:
    """Return the number of seconds to wait, or None if the header is missing or invalid.

    If there are several values, the longest valid one counts; a proxy may have joined them with
    commas.  A date is compared with the service's `Date`, because the clocks may differ.  If it is
    earlier than that, it is compared with `now_s`, our clock in epoch seconds.
    """
    given = headers.get("Retry-After", "")
    if len(given) > _LENGTH_MAX:
        return None
    sent_s = _instant_s(headers.get("Date", ""))
    # A comma also follows the weekday of a date; without its weekday a date is still valid.
    values = given.split(",")
    waits_s = [_wait_s(value.strip(), sent_s, now_s) for value in values]
    return max((wait_s for wait_s in waits_s if wait_s is not None), default=None)


def _wait_s(value: str, sent_s: float | None, now_s: float) -> float | None:
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    at_s = _instant_s(value)
    if at_s is None:
        return None
    return max(0.0, at_s - (sent_s if sent_s is not None and sent_s <= at_s else now_s))


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _instant_s(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value[:_LENGTH_MAX])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # HTTP dates are GMT, also those that name no zone or "-0000".
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
