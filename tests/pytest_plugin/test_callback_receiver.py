"""The receiver of a test records callbacks, and rejects what is none."""

import socket
import struct
from contextlib import ExitStack
from threading import enumerate as running_threads

import httpx
import pytest

from mock_server.testing.receiver import CallbackReceiver, _Handler, _Server
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S


def test_the_receiver_records_callbacks_and_returns_its_status(mock: RunningMock) -> None:
    with (
        ApixoMock.begun(mock.url) as sandbox,
        CallbackReceiver.listening() as receiver,
    ):
        receiver.status = 500
        mock.api(sandbox.api_key).submit(callback_url=receiver.url)
        sandbox.advance("10m")

        assert len(receiver.wait_for(2)) >= 2
        assert sandbox.callbacks[0]["attempts"][0]["status"] == 500


def test_the_receiver_records_a_chunked_callback() -> None:
    with CallbackReceiver.listening() as receiver, httpx.Client(trust_env=False) as sender:
        for _ in range(2):  # The second one shows that nothing of the first one was left.
            answer = sender.post(receiver.url, content=iter([b'{"code"', b": 200}"]))

            assert answer.request.headers["transfer-encoding"] == "chunked"
            assert answer.status_code == 200

        assert receiver.payloads == [{"code": 200}] * 2


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", id="endless-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n", id="longer-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 8192, id="endless-line"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 101, id="endless-trailers"
        ),
        pytest.param(b"Content-Length: -1\r\n\r\n", id="negative-length"),
        pytest.param(b"Content-Length: 1_0\r\n\r\n" + b"0" * 10, id="length-with-underscore"),
        pytest.param(b"Content-Length: 9999999\r\n\r\n", id="too-long"),
    ],
)
def test_the_receiver_rejects_an_invalid_body_and_closes_the_connection(sent: bytes) -> None:
    with CallbackReceiver.listening() as receiver:
        url = httpx.URL(receiver.url)
        with socket.create_connection((url.host, url.port or 0), PATIENCE_S) as sender:
            sender.sendall(b"POST /callback HTTP/1.1\r\nHost: receiver\r\n" + sent)
            answer = sender.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert receiver.bodies == []


def test_a_sender_that_closes_the_connection_logs_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    of_others = set(running_threads())
    with CallbackReceiver.listening() as receiver:
        url = httpx.URL(receiver.url)
        reset = struct.pack("ii", 1, 0)
        with socket.create_connection((url.host, url.port or 0)) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            sender.sendall(b"POST /callback HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            receiver.wait_for(1)
        for thread in set(running_threads()) - of_others:
            if "process_request_thread" in thread.name:
                thread.join(PATIENCE_S)

    assert capfd.readouterr().err == ""


def test_connections_wait_until_a_busy_receiver_accepts_them() -> None:
    with ExitStack() as opened:
        server = opened.enter_context(_Server(("127.0.0.1", 0), _Handler))  # It accepts nothing.
        for _ in range(300):
            opened.enter_context(
                socket.create_connection(("127.0.0.1", server.server_port), PATIENCE_S)
            )
