"""Translate the errors of an HTTP exchange into short reasons."""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx

_MAX_REASON_LENGTH = 200  # Some reasons quote what the server sent.

_AS_HTTPX: Final[Mapping[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise httpx.TransportError with a short reason for errors of httpcore and of sockets."""
    try:
        yield
    except tuple(_AS_HTTPX) as error:
        raise _AS_HTTPX[type(error)](describe_failure(error)) from error
    except OSError as error:  # httpcore does not translate some TLS errors.
        raise httpx.NetworkError(describe_failure(error)) from error


def describe_failure(error: BaseException) -> str:
    """Return the first reason in the chain of causes that helps a developer."""
    reasons = (_reason(link) for link in _chain(error))
    known = next((reason for reason in reasons if reason is not None), None)
    reason = known or str(error) or "the connection was lost"
    if isinstance(error, httpcore.ProtocolError):
        reason = f"invalid HTTP response: {reason}"
    return shorten(reason)


def shorten(text: str, max_length: int = _MAX_REASON_LENGTH) -> str:
    """Return the text cut to this many characters; an ellipsis marks the cut."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        # httpcore's pool raises its errors again `from None`, which clears the first cause.
        link = link.__cause__ or link.__context__


def _reason(error: BaseException) -> str | None:
    match error:
        case httpcore.ConnectTimeout():
            return "connection timed out"
        case ssl.SSLCertVerificationError():
            return f"TLS certificate rejected: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or 'unknown reason').lower().replace('_', ' ')}"
        case socket.gaierror():
            return f"the host name does not resolve ({error.strerror})"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return None
