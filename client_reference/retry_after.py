"""Reads `Retry-After`: seconds, or an HTTP date (LIM-5)."""

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx


def retry_after_s(headers: httpx.Headers, now_s: float) -> float | None:
    """Return how many seconds to wait, None where the header is missing or makes no sense.

    A date is read against the service's own `Date`, so that clocks may differ; where that would
    lie in the past, against ours.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    at_s = _instant_s(value)
    if at_s is None:
        return None
    sent_s = _instant_s(headers.get("Date", ""))
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
