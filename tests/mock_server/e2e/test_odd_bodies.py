"""Bodies that are no JSON object in UTF-8, and bodies that are too large (SUB-2, SUB-14)."""

import json
import re

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected, exchange, read_answer

PROMPT = b'"input":{"prompt":"a fox"}'
ODD = {
    "empty": b"",
    "white-space": b" \n",
    "array": b"[]",
    "array-of-a-good-body": b"[{%b}]" % PROMPT,
    "string": b'"a fox"',
    "number": b"1",
    "null": b"null",
    "truncated": b'{"input":{"prompt":"a f',
    "trailing-comma": b"{%b,}" % PROMPT,
    "two-objects": b"{%b}{%b}" % (PROMPT, PROMPT),
    "nan": b'{"input":{"prompt":"a fox","num_images":NaN}}',
    "nan-in-an-unknown-member": b'{"x":NaN,%b}' % PROMPT,
    "infinity": b'{"input":{"prompt":"a fox","num_images":-Infinity}}',
    "byte-order-mark": b"\xef\xbb\xbf{%b}" % PROMPT,
    "utf-16": json.dumps({"input": {"prompt": "a fox"}}).encode("utf-16"),
    "invalid-utf-8": b'{"input":{"prompt":"a \xff fox"}}',
    "invalid-utf-8-in-an-unknown-member": b'{"x":"\xc3(",%b}' % PROMPT,
    "lone-surrogate": b'{"input":{"prompt":"a \\ud83e fox"}}',
    "lone-low-surrogate": b'{"input":{"prompt":"a \\udd8a fox"}}',
    "surrogate-in-utf-8": b'{"input":{"prompt":"a \xed\xa0\xbe fox"}}',
    "lone-surrogate-in-an-image-address": (
        b'{"input":{"prompt":"a fox","image_urls":["https://h/\\ud83e"]}}'
    ),
    "deep-arrays": b"[" * 200_000,
    "deep-objects": b'{"input":' * 200_000,
    "deep-in-an-unknown-member": b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b",%b}" % PROMPT,
    "deep-in-the-prompt": b'{"input":{"prompt":' + b"[" * 200_000,
    "control-character": b'{"input":{"prompt":"a \x01 fox"}}',
}
WRONG_TYPES = {
    "text": "text/plain",
    "form": "application/x-www-form-urlencoded",
    "another-charset": "application/json; charset=latin-1",
    "json-sequence": "application/json-seq",
    "empty": "",
}
RIGHT_TYPES = {
    "with-charset": "application/json; charset=utf-8",
    "in-capitals": "Application/JSON;charset=UTF-8",
    "with-a-quoted-charset": 'application/json; charset="utf-8"',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_body_that_is_no_proper_json_object_is_refused(api: Api, content: bytes) -> None:
    answer = api.send("POST", SUBMIT, content=content)

    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (400, 400, "Invalid request")
    assert body["data"]["error"]


@pytest.mark.parametrize("content_type", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_another_content_type_is_refused(api: Api, content_type: str) -> None:
    answer = api.send(
        "POST", SUBMIT, content=b"{%b}" % PROMPT, headers={"Content-Type": content_type}
    )

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith("Content-Type: must be application/json")


@pytest.mark.parametrize("content_type", RIGHT_TYPES.values(), ids=RIGHT_TYPES)
def test_json_in_utf_8_may_be_declared_in_any_spelling(api: Api, content_type: str) -> None:
    answer = api.send(
        "POST", SUBMIT, content=b"{%b}" % PROMPT, headers={"Content-Type": content_type}
    )

    assert answer.status_code == 200


def test_a_body_without_content_type_is_refused(mock: RunningMock, api: Api) -> None:
    request = (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Length: {len(PROMPT) + 2}\r\n\r\n"
    )

    answer, _ = exchange(mock, request.encode() + b"{%b}" % PROMPT)

    assert answer.status == 400


def test_a_body_may_come_in_chunks(mock: RunningMock, api: Api) -> None:
    answer, _ = exchange(
        mock, head(api, "Transfer-Encoding: chunked") + chunked(b"{", PROMPT, b"}")
    )

    assert answer.status == 200


def test_a_client_that_waits_to_be_told_to_go_on_is_told(mock: RunningMock, api: Api) -> None:
    """As curl does with the large bodies of reference images."""
    body = b"{%b}" % PROMPT
    with connected(mock) as line:
        line.sendall(head(api, f"Content-Length: {len(body)}\r\nExpect: 100-continue"))
        told = line.recv(4096)
        line.sendall(body)
        answer, _ = read_answer(line)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.status == 200


def test_a_body_declared_too_large_is_refused_before_it_is_sent(
    mock: RunningMock, api: Api
) -> None:
    request = head(api, f"Content-Length: {16 * 1024 * 1024 + 1}") + b"{"

    answer, body = exchange(mock, request)

    assert answer.status == 413
    assert json.loads(body)["code"] == 413


def test_a_body_that_grows_too_large_in_chunks_is_refused(serve: Serve) -> None:
    mock = serve(Settings(body_limit_bytes=1024))
    request = head(mock.api("sk-key"), "Transfer-Encoding: chunked")

    answer, body = exchange(mock, request + chunked(b"{" * 40_000, b"{" * 40_000)[:-5])

    assert answer.status == 413
    assert json.loads(body)["data"]["error"] == "body: must have at most 1024 bytes"


def test_a_body_may_be_as_large_as_the_limit_and_not_one_byte_more(serve: Serve) -> None:
    api = serve(Settings(body_limit_bytes=1024)).api("sk-key")
    largest = b"{%b}" % PROMPT + b" " * (1024 - 2 - len(PROMPT))

    assert api.send("POST", SUBMIT, content=largest).status_code == 200
    assert api.send("POST", SUBMIT, content=largest + b" ").status_code == 413


def test_a_client_that_leaves_in_the_middle_of_its_body_disturbs_nobody(
    mock: RunningMock, api: Api
) -> None:
    with connected(mock) as line:
        line.sendall(head(api, "Content-Length: 100") + b"{")

    assert api.try_submit({"input": {"prompt": "a fox"}}).status_code == 200
    assert api.counters()["requests"] == 1


def test_two_requests_sent_at_once_are_answered_in_order(mock: RunningMock, api: Api) -> None:
    first = f"GET {BALANCE} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n\r\n"
    second = first.replace(BALANCE, STATUS).replace("Host:", "Connection: close\r\nHost:")

    with connected(mock) as line:
        line.sendall((first + second).encode())
        answers = b"".join(iter(lambda: line.recv(4096), b""))

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"400"]


def head(api: Api, framing: str) -> bytes:
    return (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Type: application/json\r\n{framing}\r\n\r\n"
    ).encode()


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))
