"""Translate the errors of httpx into those of the client, and say what to do about TLS."""

import os
import re
import ssl
from collections.abc import Callable, Iterator

import httpx

from client_reference.errors import (
    ApiTimeout,
    ApixoError,
    TlsError,
    TransportError,
    UnexpectedResponse,
)

HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError)
"""The errors of httpx for a request or a response; `error_for` translates them."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
               httpx.UnsupportedProtocol)  # fmt: skip
# A connection that ends during the handshake may succeed later; other TLS errors stay.
_LOST_IN_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_ANOTHER_NAME = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, … EMAIL …, … IP_ADDRESS …
_EXPIRED = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})


def error_for(error: Exception, address: str, redact: Callable[[str], str]) -> ApixoError:
    """Return the ApixoError for one of HTTP_ERRORS.

    `address` is where the request went, and `redact` removes the API key from a text.
    """
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    text = redact(str(error))
    message = f"{kind}: {text}" if text else kind
    was_sent = not isinstance(error, _NEVER_SENT)
    if isinstance(error, httpx.ConnectError):
        return _connect_error(error, redact(address), redact)
    if isinstance(error, httpx.ConnectTimeout):
        return ApiTimeout(f"cannot connect to {redact(address)}: {message}", was_sent=False)
    if isinstance(error, httpx.TimeoutException):
        return ApiTimeout(message, was_sent=was_sent)
    if isinstance(error, httpx.DecodingError):
        return UnexpectedResponse(message, is_garbled=True)
    if isinstance(error, httpx.InvalidURL | UnicodeError):
        return UnexpectedResponse(message)
    return TransportError(message, was_sent=was_sent)


def _connect_error(
    error: httpx.ConnectError, address: str, redact: Callable[[str], str]
) -> TransportError:
    """Return the error for a connection that could not be opened; nothing was sent."""
    prefix = f"cannot connect to {address}: "
    reason = redact(str(error)) or "connect error"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _LOST_IN_HANDSHAKE):
            return TlsError(prefix + redact(_tls_problem(cause)), was_sent=False)
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ssl.SSLError):
            # asyncio replaces the text of the system by one of its own.
            number = cause.errno or 0
            reason = os.strerror(number) if number > 0 else redact(cause.strerror)
    return TransportError(prefix + reason, was_sent=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what caused it, also where it was raised `from None`."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _tls_problem(error: ssl.SSLError) -> str:
    """Return what is wrong, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message.rstrip(".")
        if error.verify_code in _ANOTHER_NAME:
            return f"the certificate is for another host ({reason}); use the name that it has"
        if error.verify_code in _EXPIRED:
            return f"the certificate is not valid now ({reason}); renew it, or set the clock"
        return (
            f"the certificate is not trusted ({reason});"
            " set SSL_CERT_FILE to the certificate file of its authority"
        )
    reason = (error.reason or str(error)).lower().replace("_", " ")
    if error.reason in _NO_TLS:
        return f"the server does not use TLS ({reason}); use http:// if that is intended"
    return f"the TLS handshake failed ({reason}); check the TLS settings of the server"
