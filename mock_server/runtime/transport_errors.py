"""Why an HTTP exchange has failed, as a short reason."""

import os
import ssl
from typing import Final

_MAX_REASON_LENGTH: Final = 200  # Some reasons quote what the server sent.


class ExchangeFailed(Exception):
    """A request got no usable response; the text is a short reason that a report can show."""


def describe_failure(error: OSError) -> str:
    """Return the reason for a failure of a socket or of TLS."""
    match error:
        case ssl.SSLCertVerificationError():
            return shorten(f"TLS certificate rejected: {error.verify_message}")
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or 'unknown reason').lower().replace('_', ' ')}"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return shorten(str(error) or "the connection was lost")


def shorten(text: str, max_length: int = _MAX_REASON_LENGTH) -> str:
    """Return the text cut to this many characters; an ellipsis marks the cut."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
