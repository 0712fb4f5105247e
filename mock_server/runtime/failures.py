"""Says in a short sentence why an HTTP exchange failed."""

import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx

_LONGEST = 200  # characters; some sentences quote what the other side sent

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
def translated() -> Iterator[None]:
    """Turn httpcore's errors, and bare socket errors, into httpx.TransportError with a sentence."""
    try:
        yield
    except tuple(_AS_HTTPX) as error:
        raise _AS_HTTPX[type(error)](failure_sentence(error)) from error
    except OSError as error:  # anyio lets some TLS errors through as they are
        raise httpx.NetworkError(failure_sentence(error)) from error


def failure_sentence(error: BaseException) -> str:
    """Return the first reason in the chain of causes that says something to a developer."""
    reasons = (_reason(link) for link in _chain(error))
    known = next((reason for reason in reasons if reason is not None), None)
    sentence = known or str(error) or "the connection broke"
    if isinstance(error, httpcore.ProtocolError):
        sentence = f"not a proper HTTP answer: {sentence}"
    return brief(sentence)


def brief(text: str, longest: int = _LONGEST) -> str:
    """Cut a text to so many characters; an ellipsis shows the cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        # The pool raises its errors again `from None`, which clears the cause of the first link.
        link = link.__cause__ or link.__context__


def _reason(error: BaseException) -> str | None:
    match error:
        case httpcore.ConnectTimeout():
            return "connection timed out"
        case ssl.SSLCertVerificationError():
            return f"TLS certificate not accepted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {(error.reason or 'unknown reason').lower().replace('_', ' ')}"
        case socket.gaierror():
            return f"the host name does not resolve ({error.strerror})"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return None
