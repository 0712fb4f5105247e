"""Short texts of exchanges and callbacks for findings."""

from typing import Final

from contract_tests.server.checkers.trace import Callback, Exchange

_SHOWN: Final = 300  # characters of a body


def shown(exchange: Exchange) -> str:
    """Return the request and its response in one line."""
    return f"{asked(exchange)}: {told(exchange)}"


def asked(exchange: Exchange) -> str:
    request = exchange.request
    query = "&".join(f"{name}={value}" for name, value in request.query)
    return f"{request.method} {request.path}{'?' if query else ''}{query}"


def told(exchange: Exchange) -> str:
    response = exchange.response
    if response.error is not None:
        return response.error
    return f"HTTP {response.status} {text_of(response.body)}"


def shown_callback(callback: Callback) -> str:
    return f"callback at {callback.name}: {text_of(callback.delivery.body)}"


def text_of(body: bytes) -> str:
    """Return the body as text, truncated."""
    text = body[:_SHOWN].decode("utf-8", "replace")
    return text if len(body) <= _SHOWN else f"{text}…"
