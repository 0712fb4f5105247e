"""uvicorn still has the undocumented API that http_protocol.py and http_server.py extend.

If a test fails after an update of uvicorn, adapt the module that it names and the upper bound in
pyproject.toml.
"""

import asyncio
import inspect
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mock_server.http_rejections import MAX_HEAD_BYTES
from mock_server.http_server import HttpServer
from mock_server.http_timeouts import TimedProtocol, Timeouts
from mock_server.web.wire_faults import EXTENSION

ROOT = Path(__file__).parents[2]
REQUEST = b"POST /path HTTP/1.1\r\nHost: test\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}"


async def silent_app(_: object, __: object, ___: object) -> None:
    """Wait until the test ends, which is no error that uvicorn should log."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


@asynccontextmanager
async def connected() -> AsyncIterator[TimedProtocol]:
    """Give a protocol whose connection records the written data."""
    config = uvicorn.Config(silent_app, interface="asgi3", ws="none", log_config=None)
    config.load()
    protocol = TimedProtocol(
        config=config, server_state=ServerState(), app_state={}, timeouts=Timeouts()
    )
    transport = Mock(asyncio.Transport)
    transport.get_extra_info.return_value = None
    transport.is_closing.return_value = False
    protocol.connection_made(transport)
    yield protocol
    await asyncio.sleep(0)  # A task that has not started cannot be cancelled without a warning.
    if protocol.cycle is not None:
        protocol.cycle.disconnected = True  # Nobody misses the response.
    for task in protocol.tasks:
        task.cancel()
    await asyncio.gather(*protocol.tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (HttpToolsProtocol.connection_made, ["self", "transport"]),
        (HttpToolsProtocol.data_received, ["self", "data"]),
        (HttpToolsProtocol.eof_received, ["self"]),
        (HttpToolsProtocol.connection_lost, ["self", "exc"]),
        (HttpToolsProtocol.on_message_begin, ["self"]),
        (HttpToolsProtocol.on_headers_complete, ["self"]),
        (HttpToolsProtocol.on_message_complete, ["self"]),
        (HttpToolsProtocol.on_response_complete, ["self"]),
        (HttpToolsProtocol.send_400_response, ["self", "msg"]),
        (FlowControl.resume_reading, ["self"]),
        (uvicorn.Config.load, ["self"]),
        (uvicorn.Server.startup, ["self", "sockets"]),
        (uvicorn.Server.shutdown, ["self", "sockets"]),
        (uvicorn.Server.capture_signals, ["self"]),
        (uvicorn.Server.handle_exit, ["self", "sig", "frame"]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_uvicorn_has_the_method(method: Callable[..., object], parameters: list[str]) -> None:
    assert list(inspect.signature(method).parameters) == parameters


@pytest.mark.anyio
async def test_the_scope_of_a_request_has_the_connection_and_its_cycle() -> None:
    async with connected() as protocol:
        protocol.data_received(REQUEST)

        connection: Any = protocol.scope["extensions"][EXTENSION]
        assert connection.transport is protocol.transport
        assert isinstance(connection.cycle, RequestResponseCycle)
        assert connection.cycle is protocol.cycle
        assert connection.cycle.body == b"{}"


@pytest.mark.anyio
async def test_a_lost_connection_disconnects_the_cycle_of_its_request() -> None:
    async with connected() as protocol:
        protocol.data_received(REQUEST)
        connection: Any = protocol.scope["extensions"][EXTENSION]
        protocol.cycle.response_complete = True  # Now uvicorn itself no longer marks the request.

        protocol.connection_lost(None)
        await connection.lost()

        assert connection.cycle.disconnected


@pytest.mark.anyio
async def test_long_headers_are_rejected_with_status_431_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as protocol:
        protocol.data_received(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES)

    [written] = protocol.transport.write.call_args.args  # type: ignore[attr-defined]  # a mock
    assert written.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"must have at most 65536 bytes" in written
    assert caplog.messages == [
        (
            "a request from a client port 0 got status 431:"
            " headers: must have at most 65536 bytes together"
        )
    ]


@pytest.mark.anyio
async def test_reading_pauses_while_complete_requests_wait_for_their_responses() -> None:
    async with connected() as protocol:
        protocol.data_received(REQUEST)
        protocol.cycle.disconnected = True  # Nobody misses the response.
        protocol.data_received(REQUEST * 2)
        protocol.flow.resume_reading()  # As uvicorn does when a request reads its body.

        assert protocol.flow.read_paused
        protocol.pipeline.clear()
        protocol.flow.resume_reading()
        assert not protocol.flow.read_paused


@pytest.mark.anyio
@pytest.mark.parametrize("is_endless", [False, True])
async def test_end_of_data_closes_the_connection_of_an_endless_response_only(
    is_endless: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    async with connected() as protocol:
        protocol.data_received(REQUEST)
        protocol.cycle.chunked_encoding = is_endless

        assert protocol.eof_received() == (not is_endless)
        connection: Any = protocol.scope["extensions"][EXTENSION]
        await connection.lost()  # A fault that waits for the client's end waits no longer.


@pytest.mark.anyio
async def test_serving_calls_the_methods_that_the_server_overrides() -> None:
    calls: list[str] = []

    class Recorder(HttpServer):
        async def startup(self, sockets: object = None) -> None:
            calls.append("startup")
            self.should_exit = True

        def capture_signals(self):  # type: ignore[no-untyped-def]
            calls.append("capture_signals")
            return super().capture_signals()

    config = uvicorn.Config(silent_app, lifespan="off", log_config=None)
    await Recorder(config, on_start=lambda: None).serve(sockets=[])

    assert calls == ["capture_signals", "startup"]


def test_pyproject_has_an_upper_bound_for_uvicorn() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [uvicorn_requirement] = [each for each in project["dependencies"] if each.startswith("uvicorn")]

    assert "<" in uvicorn_requirement
