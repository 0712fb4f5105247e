"""The direct path by itself: which requests it leaves to the ordinary way."""

import asyncio
import logging
from typing import Any
from unittest.mock import Mock

import pytest

from mock_server.settings import Settings
from mock_server.web.direct import RequestFailed
from mock_server.web.pipeline import Endpoint
from mock_server.web.plain_head import BLANK_LINE, MAX_HEAD_BYTES, PlainHeads
from mock_server.web.request import LocalAddress
from mock_server.web.response_head import ResponseHead
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import BALANCE

ADDRESS = LocalAddress("http", ("127.0.0.1", 8080))
PLAIN = f"GET {BALANCE} HTTP/1.1\r\nAuthorization: Bearer sk-1\r\n\r\n".encode()


@pytest.mark.parametrize(("more_bytes", "served"), [(0, 1), (1, 0), (3, 0), (4, 0)])
def test_long_headers_are_left_to_the_ordinary_way(more_bytes: int, served: int) -> None:
    direct = MockServer(Settings(log_level="warning")).direct
    assert direct is not None
    start = f"GET {BALANCE} HTTP/1.1\r\nAuthorization: Bearer sk-1\r\nX-Long: ".encode()
    request = start.ljust(MAX_HEAD_BYTES + more_bytes, b"x") + BLANK_LINE

    answered = direct.serve(request, 1, ADDRESS)

    assert (len(answered.responses), answered.end) == (served, served * len(request))


def test_endpoint_that_waits_is_answered_with_500(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    direct = MockServer(Settings(log_level="warning")).direct
    assert direct is not None
    record = direct._responder.record

    async def record_later(*given: Any) -> ResponseHead:
        await asyncio.sleep(0)
        return await record(*given)

    monkeypatch.setattr(direct._responder, "record", record_later)
    # Other servers of this process must not see the error.
    log = logging.getLogger("mock_server")
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [caplog.handler])

    with pytest.raises(RequestFailed) as failed:
        direct.serve(PLAIN, 1, ADDRESS)

    assert [each[:12] for each in failed.value.responses] == [b"HTTP/1.1 500"]
    assert "the endpoint waits" in caplog.text


def test_kept_heads_are_bounded() -> None:
    heads = PlainHeads({BALANCE: Mock(Endpoint, methods=["GET"], reads_body=False)})
    line = f"GET {BALANCE} HTTP/1.1\r\nAuthorization: Bearer sk-1\r\nX-Number: ".encode()

    for number in range(2_500):
        assert heads.parse(line + b"%d" % number)[0] is not None
    for number in range(10):
        assert heads.parse(line + b"%05000d" % number)[0] is not None
    short = b"".join(b"\r\n%d:" % number for number in range(200))
    for number in range(10):
        assert heads.parse(line + b"%d" % number + short)[0] is not None

    for kept in (heads._heads, heads._headers):
        assert len(kept) <= 1_000
        assert max(map(len, kept)) <= 4 * 1024
        assert max(raw.count(b":") for raw in kept) < 100
