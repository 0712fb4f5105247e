"""A valid submission is sent as the contract says; an invalid one is never sent."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from client_reference import Task
from client_reference.submission import MODEL, ImageOptions, Submission
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import Service, VirtualTime, accepts, succeeds
from tests.mock_server.domain.bodies import LENIENT, STRICT

characters = st.characters(exclude_categories=["Cs"])
prompts = st.text(characters, min_size=1, max_size=200) | st.sampled_from(
    ["x" * 10_000, "🦊" * 10_000, " ", "\n", '"\\', "\x00"]
)
image_urls = st.sampled_from(
    [
        "https://images.example/fox.png",
        "http://127.0.0.1:8080/a.webp?b=c#d",
        "data:image/png;base64,iVBORw0KGgo=",
        "https://münchen.example/ü.jpg",
        "http://[2001:db8::1]/a.png",
    ]
)
orders = st.fixed_dictionaries(
    {"prompt": prompts},
    optional={
        "aspect_ratio": st.sampled_from(["1:1", "3:2", "2:3"]),
        "num_images": st.sampled_from([1, 2, 4]),
        "image_urls": st.lists(image_urls, max_size=5)
        | st.lists(image_urls, max_size=5).map(tuple),
        "provider": st.sampled_from(["auto", "value", "official"]),
        "callback_url": st.none() | st.just("https://receiver.example.com/callbacks?a=b"),
    },
)
no_strings: list[object] = [None, 7, b"a fox", ["a fox"], {}, True]
no_addresses: list[object] = [
    *no_strings, "", "fox.png", "//host/fox.png", "ftp://host/fox.png", "file:///fox.png", "https://",
    "http:///fox.png", "https://host:0/fox.png", "https://host:99999/", "https://[::1/fox.png",
    "https://host/a fox.png", "https://host/\n", " https://host/", "https://host/\ud800",
    "https://host/\x7f", "javascript:alert(1)",
]  # fmt: skip
broken: Mapping[str, list[object]] = {
    "prompt": [*no_strings, "", "x" * 10_001, "🦊" * 10_001, "half a \ud83e pair"],
    "aspect_ratio": [*no_strings, "", "16:9", "1:1 ", "1 : 1", 1.0],
    "num_images": [None, 0, 3, 5, -1, 1.0, 2.0, "1", True, [1], float("nan")],
    "provider": [*no_strings, "", "AUTO", "cheap"],
    "callback_url": [*no_addresses[1:], "data:image/png;base64,AA=="],
    "image_urls": [
        None, 7, True, "https://host/fox.png", b"https://host/fox.png",
        ["https://host/fox.png"] * 6, *([address] for address in no_addresses),
    ],
}  # fmt: skip
breakages = st.one_of(
    *(st.tuples(st.just(field), st.sampled_from(values)) for field, values in broken.items())
)


def submission_of(prompt: str, *, callback_url: str | None = None, **images: Any) -> Submission:
    return Submission(prompt=prompt, images=ImageOptions(**images), callback_url=callback_url)


@given(order=orders)
def test_valid_submission_is_accepted_by_the_contract(
    driver: Driver, order: dict[str, Any]
) -> None:
    service = Service(submit=[accepts()])

    task = driver.client(service).submit(**order)

    assert task == Task(id="task_1")
    (request,) = service.requests
    assert request.headers["Content-Type"] == "application/json"
    understood = LENIENT.decode(request.content)
    assert STRICT.decode(request.content) == understood
    assert understood.prompt == order["prompt"]
    assert understood.ratio == order.get("aspect_ratio", "1:1")
    assert understood.num_images == order.get("num_images", 1)
    assert understood.image_urls == tuple(order.get("image_urls", ()))
    assert understood.callback_url == order.get("callback_url")


@given(order=orders)
def test_body_has_only_members_of_the_contract(order: dict[str, Any]) -> None:
    body = json.loads(submission_of(**order).encode())

    has_callback = order.get("callback_url") is not None
    assert body.pop("request_type") == ("callback" if has_callback else "async")
    assert body.pop("callback_url", None) == order.get("callback_url")
    assert body.pop("provider") == order.get("provider", "auto")
    assert body["input"].pop("mode") == MODEL
    assert list(body["input"].pop("image_urls", ())) == list(order.get("image_urls", ()))
    assert set(body) == {"input"}
    assert set(body["input"]) == {"prompt", "aspect_ratio", "num_images"}


@pytest.mark.parametrize("method", ["submit", "generate"])
@given(order=orders, breakage=breakages)
def test_invalid_field_is_named_before_anything_is_sent(
    driver: Driver, method: str, order: dict[str, Any], breakage: tuple[str, object]
) -> None:
    field, value = breakage
    service = Service()
    call = getattr(driver.client(service), method)

    with pytest.raises(ValueError, match=rf"^{field}(\[\d\])?: "):
        call(**order | {field: value})

    assert service.requests == []


@given(breakage=breakages)
def test_invalid_batch_option_is_named_at_once(
    driver: Driver, breakage: tuple[str, object]
) -> None:
    field, value = breakage
    assume(field not in {"prompt", "callback_url"})
    client: Any = driver.client(Service())

    with pytest.raises(ValueError, match=rf"^{field}(\[\d\])?: "):
        client.generate_many(["a fox"], **{field: value})


@given(breakage=breakages)
def test_messages_about_invalid_values_are_short(breakage: tuple[str, object]) -> None:
    field, value = breakage

    with pytest.raises(ValueError, match=field) as caught:
        submission_of(**{"prompt": "a fox", field: value})  # type: ignore[arg-type]  # on purpose

    assert len(str(caught.value)) < 200


def test_image_urls_may_come_from_any_iterable(driver: Driver) -> None:
    service = Service(submit=[accepts()])

    driver.client(service).submit("a fox", image_urls=(f"http://host/{n}.png" for n in range(2)))

    assert LENIENT.decode(service.requests[0].content).image_urls == (
        "http://host/0.png",
        "http://host/1.png",
    )


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), "30", None, True, 1e10])
def test_invalid_timeout_is_rejected_before_anything_is_sent(driver: Driver, timeout: Any) -> None:
    service = Service()
    client = driver.client(service)

    for call in (client.generate, client.wait):
        with pytest.raises(ValueError, match="timeout"):
            call("task_1", timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        list(client.generate_many(["a fox"], timeout=timeout))

    assert service.requests == []


def test_empty_task_id_is_rejected_before_anything_is_sent(driver: Driver) -> None:
    service = Service()

    with pytest.raises(ValueError, match="task_id"):
        driver.client(service).status("")
    with pytest.raises(ValueError, match="task_id"):
        driver.client(service).wait("")

    assert service.requests == []


@pytest.mark.parametrize("task_id", ["a b", "a/../b", "a&taskId=b", "ü#?%2f", "🦊"])
def test_task_id_reaches_the_service_unchanged(driver: Driver, task_id: str) -> None:
    service = Service(status=[succeeds(task_id)])

    task = driver.client(service, VirtualTime()).status(task_id)

    assert task.id == task_id
    assert service.requests[0].url.params["taskId"] == task_id
