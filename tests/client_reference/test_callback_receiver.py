"""The receiver answers at once, keeps the first end of each task, and believes no nonsense."""

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping, MutableMapping
from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import CallbackReceiver, Task, WaitTimeout, parse_callback
from tests.client_reference.scripted import RESULT_URL

_numbers = count()


def envelope(task_id: str, state: str = "success", **more: object) -> bytes:
    ends: Mapping[str, object] = (
        {"resultJson": json.dumps({"resultUrls": [RESULT_URL]})} if state == "success" else {}
    )
    data = {"taskId": task_id, "state": state, **ends, **more}
    return json.dumps({"code": 200, "message": "success", "data": data}).encode()


@pytest.fixture(scope="module")
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as http:
        yield http


@pytest.fixture
def task_id() -> str:
    return f"task_{next(_numbers)}"


def test_a_callback_is_read_as_a_status_answer_is() -> None:
    assert parse_callback(envelope("task_1", createTime=1, hue="red")) == Task(
        id="task_1",
        state="success",
        result_urls=(RESULT_URL,),
        create_time_ms=1,
        extra={"hue": "red"},
    )


def test_a_callback_is_answered_200_at_once_and_kept(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    assert receiver.received(task_id) is None

    assert http.post(receiver.url, content=envelope(task_id)).status_code == 200

    assert receiver.received(task_id) == parse_callback(envelope(task_id))


def test_the_first_end_of_a_task_counts(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    bodies = [envelope(task_id), envelope(task_id), envelope(task_id, "failed", failCode="LATE")]

    statuses = [http.post(receiver.url, content=body).status_code for body in bodies]

    assert statuses == [200, 200, 200]
    assert receiver.received(task_id) == parse_callback(bodies[0])


def test_what_is_no_end_is_not_kept(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    assert http.post(receiver.url, content=envelope(task_id, "processing")).status_code == 200

    assert receiver.received(task_id) is None


@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"", b"{}", b"[]", b"null", envelope(""), envelope("task", ""), b"[" * 9999])
)
def test_what_is_no_callback_is_refused_and_changes_nothing(
    receiver: CallbackReceiver, http: httpx.Client, body: bytes
) -> None:
    response = http.post(receiver.url, content=body)

    assert response.status_code == 400
    assert response.json()["data"]["error"]


def test_a_body_without_end_is_refused(receiver: CallbackReceiver, http: httpx.Client) -> None:
    body = b" " * (1024 * 1024) + b"{}"

    assert http.post(receiver.url, content=body).status_code == 413
    assert http.post(receiver.url, content=envelope("after_it")).status_code == 200


@pytest.mark.parametrize("parts", [[], [envelope("half")[:20]], [envelope("half"), b""]])
def test_a_callback_that_breaks_off_is_no_error_of_ours_and_changes_nothing(
    receiver: CallbackReceiver, parts: list[bytes]
) -> None:
    messages: list[dict[str, object]] = [
        *({"type": "http.request", "body": part, "more_body": True} for part in parts),
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(_: MutableMapping[str, object]) -> None:
        """Reach nobody."""

    path = "/" + receiver.url.rpartition("/")[2]
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    asyncio.run(receiver.app(scope, receive, send))

    assert messages == []
    assert receiver.received("half") is None


def test_only_the_address_that_nobody_guesses_is_answered(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    origin, _, token = receiver.url.rpartition("/")

    for path in ("/", f"/{token[:-1]}", f"/{token}x", "/callbacks"):
        assert http.post(origin + path, content=envelope(task_id)).status_code == 404
    assert http.get(receiver.url).status_code == 405
    assert receiver.received(task_id) is None
    assert len(token) >= 32
    assert token not in repr(receiver)


def test_only_the_newest_ends_are_kept() -> None:
    receiver = CallbackReceiver(public_url="http://public.test")
    for number in range(10_000):
        receiver._ended[f"task_{number}"] = Task(id=f"task_{number}", state="failed")

    async def post_one_more() -> None:
        transport = httpx.ASGITransport(receiver.app)
        async with httpx.AsyncClient(transport=transport) as http:
            await http.post(receiver.url, content=envelope("newest"))

    asyncio.run(post_one_more())

    assert receiver.received("newest") is not None
    assert receiver.received("task_0") is None
    assert receiver.received("task_1") is not None


def test_who_waits_gets_the_end_also_when_it_came_before(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    http.post(receiver.url, content=envelope(task_id))

    assert asyncio.run(receiver.wait_for(task_id, timeout=0)).id == task_id


def test_who_waits_is_woken_by_the_callback(receiver: CallbackReceiver, task_id: str) -> None:
    async def both() -> Task:
        waiting = asyncio.create_task(receiver.wait_for(task_id))
        await asyncio.sleep(0)  # it has looked once
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(receiver.url, content=envelope(task_id))
        return await waiting

    assert asyncio.run(both()).id == task_id


def test_who_waits_in_vain_keeps_the_task(receiver: CallbackReceiver, task_id: str) -> None:
    with pytest.raises(WaitTimeout, match=task_id) as caught:
        asyncio.run(receiver.wait_for(task_id, timeout=0))

    assert caught.value.task.id == task_id


@pytest.mark.parametrize("public_url", ["https://public.test/hooks", "https://public.test/hooks/"])
def test_a_public_address_stands_before_the_token(public_url: str) -> None:
    address, _, token = CallbackReceiver(public_url=public_url).url.rpartition("/")

    assert address == "https://public.test/hooks"
    assert token


@pytest.mark.parametrize("public_url", ["public.test", "ftp://public.test", ""])
def test_a_public_address_that_is_none_is_refused(public_url: str) -> None:
    with pytest.raises(ValueError, match=r"^public_url: "):
        CallbackReceiver(public_url=public_url)


def test_a_receiver_that_is_not_served_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="`with` block"):
        _ = CallbackReceiver().url


def test_a_receiver_is_served_once_at_a_time(receiver: CallbackReceiver) -> None:
    with pytest.raises(RuntimeError, match="already"):
        receiver.__enter__()

    assert receiver.url


def test_a_receiver_may_be_served_asynchronously_and_again() -> None:
    receiver = CallbackReceiver()

    async def serve_once() -> str:
        async with receiver, httpx.AsyncClient(trust_env=False) as http:
            response = await http.post(receiver.url, content=envelope("task_1"))
            assert response.status_code == 200
            return receiver.url

    urls = [asyncio.run(serve_once()) for _ in range(2)]

    assert urls[0].rpartition("/")[2] == urls[1].rpartition("/")[2]
    assert receiver.received("task_1") is not None
    receiver.__exit__(None, None, None)  # once more does nothing
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as http:
        http.post(urls[1])


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(OSError, match="in use"):
            CallbackReceiver(port=port).__enter__()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_a_receiver_may_listen_on_ipv6() -> None:
    with CallbackReceiver("::1") as receiver, httpx.Client(trust_env=False) as http:
        assert receiver.url.startswith("http://[::1]:")
        assert http.post(receiver.url, content=envelope("task_1")).status_code == 200
