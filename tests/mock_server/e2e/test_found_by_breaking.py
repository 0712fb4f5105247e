"""What somebody found who tried to break the server; each stays mended."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image, ImageChops

from tests.mock_server.e2e.api import STATUS, SUBMIT, Api
from tests.mock_server.e2e.receiver import Answer, Receiver
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected, exchange, read_answer

BODY = json.dumps({"input": {"prompt": "a fox"}}).encode()
HEAD = f"POST {SUBMIT} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {{}}\r\n"


@pytest.mark.parametrize("name", ["Upgrade", "upgrade", "UPGRADE"])
def test_an_offer_to_upgrade_does_not_cost_the_body(mock: RunningMock, api: Api, name: str) -> None:
    """As Java's client does with its first request to an http address."""
    head = HEAD.format(api.key) + (
        f"Connection: Upgrade, HTTP2-Settings\r\n{name}: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAA\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )

    with connected(mock) as line:
        for _ in range(2):  # the connection stays usable
            line.sendall(head.encode() + BODY)
            answer, body = read_answer(line)
            assert (answer.status, json.loads(body)["message"]) == (200, "success")


def test_headers_have_a_bound(mock: RunningMock, api: Api) -> None:
    request = HEAD.format(api.key).encode() + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n"

    assert exchange(mock, request)[0].status == 431


def test_strict_draws_a_prompt_as_it_is(api: Api) -> None:
    api.change(strict=True)
    drawn = []
    for prompt in ('a fox [[mock "', "a fox [[mock hold]]", "a fox"):
        task_id = api.submit(prompt, mode="gpt-image-1")
        api.advance(100)
        answer = api.http.get(api.result_urls(task_id)[0])
        assert answer.status_code == 200
        with Image.open(BytesIO(answer.content)) as image:
            drawn.append(image.copy())

    footers = [image.crop((0, 700, 1024, 1024)) for image in drawn]
    assert all(ImageChops.difference(footers[2], each).getbbox() for each in footers[:2])


def test_a_tag_tells_the_bytes_apart_after_a_new_beginning(api: Api) -> None:
    tags = []
    for prompt in ("[[mock pending=0 processing=0]] one", "[[mock pending=0 processing=0]] two"):
        api.control("DELETE", "sandbox")
        [url] = api.result_urls(api.submit(prompt))
        tags.append(api.http.get(url).headers["etag"])

    assert tags[0] != tags[1]


@pytest.mark.parametrize("host", ["0251.0376.0251.0376", "\uff10251.0376.43518", "0xa9.0376.43518"])
def test_an_octal_address_is_blocked_like_any_other_spelling(api: Api, host: str) -> None:
    task_id = api.submit("[[mock processing=1s]]", callback_url=f"http://{host}/x")
    api.advance(10)
    delivery = api.delivery(task_id)

    assert delivery["state"] == "blocked"
    assert "169.254.169.254" in delivery["attempts"][0]["error"]


def test_an_octal_loopback_address_is_reached(api: Api, receiver: Receiver) -> None:
    url = receiver.url().replace("127.0.0.1", "0177.0.0.1")
    api.submit("[[mock processing=1s]]", callback_url=url)

    assert [each["status"] for each in api.advance(10)] == [200]


def test_two_keys_at_one_receiver_do_not_delay_each_other(
    api: Api, other_api: Api, receiver: Receiver
) -> None:
    gate = receiver.block()
    for _ in range(40):  # more than one key may have under way at one receiver
        api.submit("[[mock pending=0 processing=1s]]", callback_url=receiver.url())
    with ThreadPoolExecutor(1) as thread:
        hanging = thread.submit(api.advance, 5)
        receiver.wait_for(32)
        receiver.otherwise = Answer()
        other_api.submit("[[mock pending=0 processing=1s]]", callback_url=receiver.url())

        assert [each["status"] for each in other_api.advance(5)] == [200]
        gate.set()
        assert len(hanging.result()) == 40


def test_a_client_that_leaves_in_the_middle_of_a_control_request_is_no_error(
    mock: RunningMock, api: Api
) -> None:
    head = (
        f"PATCH /_mock/sandbox HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    with connected(mock) as line:
        line.sendall(head.encode())

    assert api.send("GET", STATUS).status_code == 400  # the server goes on; its log is checked


def test_null_counts_as_absent_for_control_too(api: Api) -> None:
    before = api.told("GET", "sandbox")["settings"]

    assert api.change(rate_limit=None, balance=None, strict=None)["settings"] == before
    assert api.told("PUT", "clock", {"mode": None, "speed": 2})["speed"] == 2


def test_what_is_left_of_a_refused_body_is_no_head(mock: RunningMock, api: Api) -> None:
    head = HEAD.format(api.key) + f"Content-Length: {2**28}\r\n\r\n"
    with connected(mock) as line:
        line.sendall(head.encode())
        assert read_answer(line)[0].status == 413
        for _ in range(2**8):
            line.sendall(b" " * 2**20)
        line.sendall(HEAD.format(api.key).replace("POST", "GET").encode() + b"\r\n")

        assert read_answer(line)[0].status == 405
