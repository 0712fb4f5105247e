"""Reads `Retry-After`: seconds, or an HTTP date (LIM-5)."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx


def retry_after_s(headers: httpx.Headers, now_s: float) -> float | None:
    """Return how many seconds to wait, None where the header is missing or makes no sense.

    Of several, also where a proxy has joined them, the longest that is understood counts.  A date
    is read against the service's own `Date`, so that clocks may differ; where that would lie in
    the past, against ours.
    """
    sent_s = _instant_s(headers.get("Date", ""))
    # Without its weekday, which a comma follows, a date is still one.
    parts = headers.get("Retry-After", "").split(",")
    waits_s = [_wait_s(part.strip(), sent_s, now_s) for part in parts]
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
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000", and dates that name no zone: HTTP speaks GMT
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
