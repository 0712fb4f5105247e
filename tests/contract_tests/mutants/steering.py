"""What a mutant asks of the control plane of the mock behind it."""

from dataclasses import replace
from typing import Any

import msgspec

from mock_server.web.envelope import error
from tests.contract_tests.mutants.harness import Asked, Serve, Told

BALANCE = "/api/v1/apikeys/current-balance"


async def steer(asked: Asked, serve: Serve, method: str, path: str, body: Any = None) -> Any:
    """Speak to control in the sandbox of the key that the request carries."""
    told = await serve(
        replace(
            asked,
            method=method,
            path=f"/_mock/{path}",
            query=b"",
            body=b"" if body is None else msgspec.json.encode(body),
        )
    )
    return told.json


async def rate_limit(asked: Asked, serve: Serve) -> int:
    limit: int = (await steer(asked, serve, "GET", "sandbox"))["settings"]["rate_limit"]
    return limit


async def now_ms(asked: Asked, serve: Serve) -> int:
    instant: int = (await steer(asked, serve, "GET", "clock"))["now_ms"]
    return instant


async def let_through(asked: Asked, serve: Serve, setting: str) -> Told:
    """Serve a request with a limit out of the way."""
    limit = (await steer(asked, serve, "GET", "sandbox"))["settings"][setting]
    await steer(asked, serve, "PATCH", "sandbox", {setting: 1_000_000})
    told = await serve(asked)
    await steer(asked, serve, "PATCH", "sandbox", {setting: limit})
    return told


async def count_once(asked: Asked, serve: Serve) -> None:
    """Use up one request of the key."""
    await serve(replace(asked, method="GET", path=BALANCE, query=b"", body=b""))


def is_limited(asked: Asked) -> bool:
    """Tell whether a request counts to the limit of a key: it has one, and is for the API."""
    has_key = asked.header(b"authorization").startswith(b"Bearer ")
    return has_key and asked.path.startswith("/api/v1/")


def too_many() -> Told:
    return replace(
        refusal(429, "Rate limit exceeded", "too many"),
        headers=((b"content-type", b"application/json"), (b"retry-after", b"1")),
    )


def refusal(status: int, message: str, detail: str) -> Told:
    return Told(
        status=status,
        headers=((b"content-type", b"application/json"),),
        body=error(status, message, detail),
    )
