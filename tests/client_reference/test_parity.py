"""Both clients have the same methods and behave the same."""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import ApixoError, AsyncClient, BatchResult, Client, Task
from client_reference.calls import Calls
from client_reference.client_base import ClientBase
from client_reference.keywords import ClientKeywords, ImageKeywords
from client_reference.submission import ImageOptions
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    Answer,
    Service,
    VirtualTime,
    accepts,
    breaks,
    fails,
    raw,
    says,
    succeeds,
    told,
)

PER_KIND = {"transport", "http_client", "sleep"}


def public(kind: type) -> dict[str, Callable[..., object]]:
    return {
        name: member
        for name, member in vars(kind).items()
        if not name.startswith("_") and callable(member)
    }


def parameters(function: Callable[..., object]) -> dict[str, tuple[object, object, object]]:
    return {
        name: (parameter.kind, None if name in PER_KIND else parameter.default,
               None if name in PER_KIND else parameter.annotation)
        for name, parameter in inspect.signature(function).parameters.items()
    }  # fmt: skip


def names(function: Callable[..., object]) -> list[str]:
    """Return the names of all arguments, also of those that are unpacked from a TypedDict."""
    found: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (keywords,) = get_args(parameter.annotation)
            found += get_type_hints(keywords)
        else:
            found.append(name)
    return found


METHODS = [
    "balance", "close", "download", "generate", "generate_many", "status", "submit", "wait",
]  # fmt: skip


def test_both_clients_have_the_same_methods() -> None:
    assert sorted(public(Client)) == sorted(public(AsyncClient)) == METHODS


@pytest.mark.parametrize("name", [*METHODS, "__init__", "__repr__"])
def test_method_takes_the_same_arguments_in_both_clients(name: str) -> None:
    ours, theirs = getattr(Client, name), getattr(AsyncClient, name)

    assert list(parameters(ours)) == list(parameters(theirs))
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("name", METHODS)
def test_method_returns_the_same_in_both_clients(name: str) -> None:
    ours, theirs = (get_type_hints(public(kind)[name])["return"] for kind in (Client, AsyncClient))

    if name == "generate_many":
        assert ours == Generator[BatchResult, None, None]
        assert theirs == AsyncGenerator[BatchResult, None]
        assert not inspect.iscoroutinefunction(AsyncClient.generate_many)
    else:
        assert ours == theirs
        assert inspect.iscoroutinefunction(public(AsyncClient)[name])


def test_arguments_and_defaults_are_the_documented_ones() -> None:
    order = ["aspect_ratio", "num_images", "image_urls", "provider", "callback_url"]

    assert names(Client.submit) == ["self", "prompt", *order]
    assert names(Client.generate)[:8] == ["self", "prompt", *order, "timeout"]
    assert {
        "api_key", "base_url", "timeout", "max_retries", "retry_submit", "transport", "http_client",
        "clock", "sleep", "user_agent",
    } <= set(names(Client))  # fmt: skip
    constructor = inspect.signature(ClientBase.__init__).parameters
    assert constructor["max_retries"].default == 4
    assert constructor["retry_submit"].default is False
    assert inspect.signature(Calls.wait).parameters["timeout"].default == 300
    assert inspect.signature(Calls.generate).parameters["timeout"].default == 300


@pytest.mark.parametrize("name", [name for name in METHODS if name != "close"])
def test_every_argument_reaches_the_flow_of_its_method(name: str) -> None:
    assert set(names(getattr(Client, name))) == set(names(getattr(Calls, name)))


def test_keyword_arguments_are_those_of_the_values_made_from_them() -> None:
    constructor = inspect.signature(ClientBase.__init__).parameters.values()

    assert set(get_type_hints(ImageKeywords)) == {each.name for each in fields(ImageOptions)}
    assert set(get_type_hints(ClientKeywords)) == {
        each.name for each in constructor if each.kind is each.KEYWORD_ONLY
    }


@pytest.mark.parametrize("name", [*METHODS, "__init__"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_help_on_a_method_explains_each_argument(kind: type, name: str) -> None:
    method = getattr(kind, name)
    text = inspect.getdoc(method) or ""

    assert text == inspect.getdoc(getattr(ClientBase, name))
    unnamed = {"self", "prompts", "prompt", "task_id", "generation", "directory"}
    assert [each for each in names(method) if f"`{each}`" not in text and each not in unnamed] == []


CALLS: dict[str, Callable[[Client], object]] = {
    "submit": lambda client: client.submit("a fox", aspect="3:2"),  # type: ignore[call-arg]
    "wait": lambda client: client.wait("task_1", timout=3),  # type: ignore[call-arg]
    "generate": lambda client: client.generate("a fox", images=2),  # type: ignore[call-arg]
    "generate_many": lambda client: client.generate_many(["a fox"], at_once=2),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_unknown_argument_is_rejected_before_anything_is_sent(
    driver: Driver, call: Callable[[Client], object]
) -> None:
    service = Service()

    with pytest.raises(
        TypeError, match=r"unexpected keyword argument '(aspect|timout|images|at_once)'"
    ):
        call(driver.client(service))

    assert service.requests == []


answers = st.sampled_from(
    [
        told("pending"), told("processing"), told("painting"), succeeds(), fails("NSFW"),
        says(400), says(401), says(404), says(429, headers={"Retry-After": "3"}),
        says(500, headers={"Retry-After": "2"}), says(200, {}), raw(200, b""), raw(302, b""),
        breaks(httpx.ConnectError), breaks(httpx.ReadTimeout),
    ]
)  # fmt: skip


def _lived(
    driver: Driver,
    script: list[Answer],
    retry_submit: bool,  # noqa: FBT001  # drawn
) -> tuple[object, ...]:
    """Return all that a program or the service can see of a generation."""
    time, seen = VirtualTime(), list[Task]()
    service = Service(submit=[*script[:2], accepts()], status=[*script[2:], told("processing")])
    client = driver.client(service, time, max_retries=1, retry_submit=retry_submit)
    came: object
    try:
        came = client.generate("a fox", timeout=100, on_update=seen.append)
    except ApixoError as error:
        came = (type(error), str(error), error.task, type(error.__cause__))
    asked = [(request.method, str(request.url), request.content) for request in service.requests]
    headers = [sorted(request.headers.items()) for request in service.requests]
    return came, asked, headers, seen, len(time.pauses)


@pytest.fixture(scope="module")
def other_driver() -> Driver:
    return Driver(None)


@given(script=st.lists(answers, max_size=8), retry_submit=st.booleans())
def test_both_clients_behave_the_same(
    driver: Driver, other_driver: Driver, script: list[Any], *, retry_submit: bool
) -> None:
    assert _lived(driver, script, retry_submit) == _lived(other_driver, script, retry_submit)
