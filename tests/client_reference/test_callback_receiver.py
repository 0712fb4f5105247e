"""The receiver responds at once, keeps the first final state, and rejects invalid bodies."""

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
from tests.client_reference.scripted import RESULT_URL, result_json

_numbers = count()


def envelope(task_id: str, state: str = "success", **more: object) -> bytes:
    ends: Mapping[str, object] = (
        {"resultJson": result_json(RESULT_URL)} if state == "success" else {}
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


def test_callback_is_parsed_like_a_status_response() -> None:
    assert parse_callback(envelope("task_1", createTime=1, hue="red")) == Task(
        id="task_1",
        state="success",
        result_urls=(RESULT_URL,),
        create_time_ms=1,
        extra={"hue": "red"},
    )


def test_receiver_responds_200_and_keeps_the_task(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    assert receiver.received(task_id) is None

    assert http.post(receiver.url, content=envelope(task_id)).status_code == 200

    assert receiver.received(task_id) == parse_callback(envelope(task_id))


def test_receiver_accepts_a_chunked_callback(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    body = envelope(task_id)

    answer = http.post(receiver.url, content=iter([body[:7], body[7:]]))

    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 200
    assert receiver.received(task_id) == parse_callback(body)


def test_receiver_keeps_the_first_final_state(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    bodies = [envelope(task_id), envelope(task_id), envelope(task_id, "failed", failCode="LATE")]

    statuses = [http.post(receiver.url, content=body).status_code for body in bodies]

    assert statuses == [200, 200, 200]
    assert receiver.received(task_id) == parse_callback(bodies[0])


def test_receiver_ignores_states_that_are_not_final(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    assert http.post(receiver.url, content=envelope(task_id, "processing")).status_code == 200

    assert receiver.received(task_id) is None


@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"", b"{}", b"[]", b"null", envelope(""), envelope("task", ""), b"[" * 9999])
)
def test_receiver_rejects_invalid_bodies(
    receiver: CallbackReceiver, http: httpx.Client, body: bytes
) -> None:
    response = http.post(receiver.url, content=body)

    assert response.status_code == 400
    assert response.json()["data"]["error"]


def test_receiver_rejects_a_body_over_the_limit(
    receiver: CallbackReceiver, http: httpx.Client
) -> None:
    body = b" " * (64 * 1024) + b"{}"

    assert http.post(receiver.url, content=body).status_code == 413
    assert http.post(receiver.url, content=envelope("after_it")).status_code == 200


@pytest.mark.parametrize("parts", [[], [envelope("half")[:20]], [envelope("half"), b""]])
def test_truncated_callback_raises_nothing_and_changes_nothing(
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


def test_receiver_responds_only_at_its_secret_path(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    origin, _, token = receiver.url.rpartition("/")

    for path in ("/", f"/{token[:-1]}", f"/{token}x", "/callbacks"):
        assert http.post(origin + path, content=envelope(task_id)).status_code == 404
    assert http.get(receiver.url).status_code == 405
    assert receiver.received(task_id) is None
    assert len(token) >= 32
    assert token not in repr(receiver)


def test_receiver_keeps_only_the_newest_tasks() -> None:
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


def test_wait_for_returns_an_earlier_callback(
    receiver: CallbackReceiver, http: httpx.Client, task_id: str
) -> None:
    http.post(receiver.url, content=envelope(task_id))

    assert asyncio.run(receiver.wait_for(task_id, timeout=0)).id == task_id


def test_wait_for_returns_when_the_callback_arrives(
    receiver: CallbackReceiver, task_id: str
) -> None:
    async def both() -> Task:
        waiting = asyncio.create_task(receiver.wait_for(task_id))
        await asyncio.sleep(0)  # it has looked once
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(receiver.url, content=envelope(task_id))
        return await waiting

    assert asyncio.run(both()).id == task_id


def test_wait_for_timeout_has_the_task_id(receiver: CallbackReceiver, task_id: str) -> None:
    with pytest.raises(WaitTimeout, match=task_id) as caught:
        asyncio.run(receiver.wait_for(task_id, timeout=0))

    assert caught.value.task.id == task_id


@pytest.mark.parametrize("public_url", ["https://public.test/hooks", "https://public.test/hooks/"])
def test_public_url_precedes_the_token(public_url: str) -> None:
    address, _, token = CallbackReceiver(public_url=public_url).url.rpartition("/")

    assert address == "https://public.test/hooks"
    assert token


@pytest.mark.parametrize("public_url", ["public.test", "ftp://public.test", ""])
def test_invalid_public_url_is_rejected(public_url: str) -> None:
    with pytest.raises(ValueError, match=r"^public_url: "):
        CallbackReceiver(public_url=public_url)


def test_stopped_receiver_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="`with` block"):
        _ = CallbackReceiver().url


def test_receiver_cannot_be_started_twice(receiver: CallbackReceiver) -> None:
    with pytest.raises(RuntimeError, match="already"):
        receiver.__enter__()

    assert receiver.url


def test_receiver_can_be_restarted_asynchronously() -> None:
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


def test_port_in_use_is_an_os_error() -> None:
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
def test_receiver_can_listen_on_ipv6() -> None:
    with CallbackReceiver("::1") as receiver, httpx.Client(trust_env=False) as http:
        assert receiver.url.startswith("http://[::1]:")
        assert http.post(receiver.url, content=envelope("task_1")).status_code == 200
