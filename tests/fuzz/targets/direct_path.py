"""Connections: the direct path answers like the ordinary way, however the network cuts the data."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import msgspec
from uvicorn.server import ServerState

from mock_server.domain.commands import TakeSnapshot
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.http_protocol import HttpProtocol
from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.wiring import MockServer
from tests.fuzz.generators import filled
from tests.fuzz.target import Target
from tests.mock_server.both_ways.server import START_MS, StillClock
from tests.mock_server.both_ways.stepped import Client, settled
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT

_CUTS = 4  # Bytes of an input that say where its data is cut.
_SETTINGS = [
    Settings(seed=7, log_level="error"),
    Settings(seed=7, log_level="error", rate_limit=2),
    Settings(seed=7, log_level="error", strict=True, task_ids="reserved"),
    Settings(seed=7, log_level="error", profile="hostile"),
]
_RUNNER = asyncio.Runner()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Everything that can be seen of a connection."""

    received: bytes
    is_closed: bool
    sandboxes: dict[str, Any]
    callbacks: list[tuple[str, bytes]]


class _Sender:
    """Notes callbacks instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        self.sent.append((url, body))
        return DeliveryResult(status=200)

    async def aclose(self) -> None:
        """Have nothing to close."""


async def _outcome(segments: list[bytes], settings: Settings, *, is_direct: bool) -> _Outcome:
    stores: list[MemoryStore] = []

    def make_store(template: SandboxTemplate, **bounds: Any) -> MemoryStore:
        stores.append(MemoryStore(template, **bounds))
        return stores[0]

    sender = _Sender()
    app = MockServer(settings, clock=StillClock(), sender=sender, make_store=make_store)
    app._responder._sleep = lambda seconds: asyncio.sleep(0)
    config = uvicorn_config(app, is_direct=is_direct)
    config.load()
    client = Client()
    make = cast("Callable[..., HttpProtocol]", config.http_protocol_class)
    loop = asyncio.get_running_loop()
    protocol = make(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    client.protocol, client.app = protocol, app
    protocol.connection_made(client)
    for segment in segments:
        if client.is_closing():
            break
        protocol.data_received(segment)
        await settled(client)
    if not client.is_closing() and not protocol.eof_received():
        client.close()
    await settled(client)
    outcome = _Outcome(
        client.read(), client.is_closing(), await _sandboxes(stores[0]), sorted(sender.sent)
    )
    protocol.connection_lost(None)
    await settled(client)
    return outcome


async def _sandboxes(store: MemoryStore) -> dict[str, Any]:
    """Return all snapshots. When a callback is sent between requests depends on timing."""
    snapshots = {}
    for name in store._sandboxes:
        taken = (await store.execute(name, TakeSnapshot(real_ms=START_MS))).snapshot()
        snapshot = snapshots[name] = json.loads(msgspec.json.encode(taken))
        snapshot["journal"].sort(key=lambda entry: entry["operation"] == "callback")
    return snapshots


def _parts(raw: bytes) -> tuple[Settings, list[bytes], bytes]:
    """Return settings, the segments of the data, and all of the data."""
    first, cuts, data = raw[:1], raw[1 : 1 + _CUTS], raw[1 + _CUTS :]
    places = sorted({min(place * 3, len(data)) for place in cuts} | {0, len(data)})
    segments = [data[start:end] for start, end in pairwise(places)]
    return _SETTINGS[(first or b"\0")[0] % len(_SETTINGS)], segments, data


def _handle(raw: bytes) -> None:
    settings, segments, _ = _parts(raw)
    _RUNNER.run(_outcome(segments, settings, is_direct=True))


def _check(raw: bytes) -> None:
    settings, segments, data = _parts(raw)
    direct = _RUNNER.run(_outcome(segments, settings, is_direct=True))
    ordinary = _RUNNER.run(_outcome(segments, settings, is_direct=False))
    assert b"500 Internal" not in direct.received
    _compare(direct, ordinary)
    if b"expect" not in data.lower():  # A response 100 depends on when the body arrives.
        whole = _RUNNER.run(_outcome([data] if data else [], settings, is_direct=True))
        _compare(whole, direct)


def _compare(one: _Outcome, other: _Outcome) -> None:
    for name in ("received", "is_closed", "callbacks", "sandboxes"):
        first, second = getattr(one, name), getattr(other, name)
        assert first == second, f"{name}: {first!r}\nis not\n{second!r}"[:4_000]


_KEY = "Host: mock.test\r\nAuthorization: Bearer sk-fuzz\r\n"
_BALANCE = f"GET {BALANCE} HTTP/1.1\r\n{_KEY}\r\n".encode()
_STATUS = f"GET {STATUS}?taskId=x HTTP/1.1\r\n{_KEY}\r\n".encode()


def _submit(body: bytes) -> bytes:
    line = f"POST {SUBMIT} HTTP/1.1\r\n{_KEY}Content-Type: application/json\r\n"
    return line.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


_PLAIN = _submit(b'{"input":{"prompt":"a fox"}}')
_WITH_CALLBACK = _submit(
    b'{"input":{"prompt":"[[mock fail=NSFW]]"},"request_type":"callback","callback_url":"http://a/"}'
)
_CHUNKED = (
    f"POST {SUBMIT} HTTP/1.1\r\n{_KEY}Content-Type: application/json\r\n"
    'Transfer-Encoding: chunked\r\n\r\n1c\r\n{"input":{"prompt":"a fox"}}\r\n0\r\n\r\n'
).encode()

TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=lambda: [
        b"\0\x10\x20\x30\x40" + _PLAIN + _STATUS + _BALANCE,
        b"\1\x05\x50\x60\x70" + _BALANCE * 4,
        b"\2\0\0\0\0" + _CHUNKED + _PLAIN,
        b"\3\x40\x41\x42\x90" + _WITH_CALLBACK + _BALANCE + _STATUS,
        b"\0\1\2\3\4\r\n" + _STATUS.replace(b"GET", b"HEAD") + _BALANCE.replace(b"1.1", b"1.0"),
        b"\0\x30\0\0\0"
        + _BALANCE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        + _BALANCE,
    ],
    words=(
        b"\r\n\r\n",
        b"HTTP/1.1\r\n",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"?taskId=",
        b"GET ",
        b"POST ",
        b"%2F",
        b"/api/v1/",
        b"Bearer ",
        b"Expect: 100-continue\r\n",
        b"Upgrade: h2c\r\n",
        b"0\r\n\r\n",
        b"Authorization: ",
    ),
    worst={
        "plain requests": filled(b"\0" * 5, _BALANCE),
        "heads without end": filled(b"\0" * 5, b"GET / HTTP/1.1\r\n"),
        "a query": filled(
            b"\0" * 5 + f"GET {STATUS}?".encode(), b"taskId=x&", b" HTTP/1.1\r\n\r\n"
        ),
        "headers": filled(b"\0" * 5 + _BALANCE[:-2], b"A: b\r\n", b"\r\n"),
        "a body": filled(
            b"\0" * 5 + _PLAIN[: _PLAIN.index(b"Content-L")] + b"Content-Length: 1048576\r\n\r\n",
            b"[",
        ),
        "chunks": filled(b"\0" * 5 + _CHUNKED[: _CHUNKED.index(b"1c")], b"1\r\n \r\n"),
    },
)
