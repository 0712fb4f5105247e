"""The public names: typed, frozen, documented."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from importlib.resources import files
from pickle import dumps, loads

import pytest

import client_reference
from client_reference import (
    AsyncClient,
    BatchResult,
    CallbackReceiver,
    Client,
    Generation,
    Polling,
    Task,
)

PUBLIC = {name: getattr(client_reference, name) for name in client_reference.__all__}
VALUES = [
    Task(id="task_1", extra={"hue": ["red"]}, submitted_at_s=1.0),
    Generation(task=Task(id="task_1"), urls=("http://results.test/1",)),
    BatchResult(index=0, prompt="a fox", error=ValueError("prompt: no")),
    Polling(),
]


def _functions() -> Iterator[tuple[str, Callable[..., object]]]:
    for name, member in PUBLIC.items():
        if inspect.isclass(member):
            for method_name, method in vars(member).items():
                function = method.fget if isinstance(method, property) else method
                if inspect.isfunction(function) and _is_written(function):
                    yield f"{name}.{method_name}", function
        elif inspect.isfunction(member):
            yield name, member


def _is_written(function: Callable[..., object]) -> bool:
    """Tell what a dataclass generates from what a person has written."""
    return "client_reference" in function.__code__.co_filename


def _mentions_any(hint: object) -> bool:
    return hint is typing.Any or any(map(_mentions_any, typing.get_args(hint)))


FUNCTIONS = dict(_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_is_fully_typed(name: str) -> None:
    function = FUNCTIONS[name]
    hints = typing.get_type_hints(function)

    assert not [part for part, hint in hints.items() if _mentions_any(hint)], name
    untyped = set(inspect.signature(function).parameters) - set(hints) - {"self", "cls"}
    assert not untyped, name
    assert "return" in hints, name


@pytest.mark.parametrize(
    "name", [name for name, member in PUBLIC.items() if inspect.isclass(member)]
)
def test_every_public_value_has_typed_fields(name: str) -> None:
    hints = typing.get_type_hints(PUBLIC[name])

    assert not any(map(_mentions_any, hints.values()))


def test_package_has_a_py_typed_marker() -> None:
    assert files("client_reference").joinpath("py.typed").is_file()


def test_public_names_exist_and_are_sorted() -> None:
    assert client_reference.__all__ == sorted(client_reference.__all__)
    assert all(
        member.__doc__ and member.__module__.startswith("client_reference.")
        for member in PUBLIC.values()
    )


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_frozen_and_can_be_copied_and_pickled(value: object) -> None:
    assert dataclasses.is_dataclass(value)
    field = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)

    for twin in (copy(value), deepcopy(value), loads(dumps(value))):
        assert repr(twin) == repr(value)


def test_task_has_the_members_of_the_contract() -> None:
    assert [field.name for field in dataclasses.fields(Task)][:9] == [
        "id", "state", "result_urls", "fail_code", "fail_msg", "create_time_ms",
        "complete_time_ms", "cost_time_ms", "extra",
    ]  # fmt: skip
    assert [field.name for field in dataclasses.fields(Generation)] == ["task", "urls"]
    assert [field.name for field in dataclasses.fields(BatchResult)] == [
        "index", "prompt", "generation", "error",
    ]  # fmt: skip


def test_tasks_compare_equal_whenever_they_were_submitted() -> None:
    assert Task(id="task_1", submitted_at_s=1.0) == Task(id="task_1", submitted_at_s=2.0)
    assert hash(Task(id="task_1", extra={"a": []})) == hash(Task(id="task_1"))


def test_only_success_and_failed_are_final() -> None:
    states = ["pending", "processing", "success", "failed", "SUCCESS", "cancelled"]

    assert [state for state in states if Task(id="1", state=state).is_final] == [
        "success",
        "failed",
    ]


def test_repr_shows_the_address() -> None:
    assert repr(CallbackReceiver(port=8081)) == "CallbackReceiver(host='127.0.0.1', port=8081)"
    assert repr(Client("my-key", "http://a.test")) == "Client(base_url='http://a.test')"
    assert repr(AsyncClient("my-key", "http://a.test")) == "AsyncClient(base_url='http://a.test')"
