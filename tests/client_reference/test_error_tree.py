"""The tree of errors is documented, public, and can be copied."""

import inspect
import re
from copy import copy, deepcopy
from pickle import dumps, loads

import httpx
import pytest

import client_reference
from client_reference import errors
from client_reference.errors import ApixoError
from client_reference.task import Task

RESPONSE = httpx.Response(429, headers={"Retry-After": "7"}, content=b"{}")
TASK = Task(id="task_1", state="failed", extra={"a": [1]})
REFUSAL = (429, 429, "no", "a detail", RESPONSE)
CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ApixoError)
]


def example(kind: type[ApixoError]) -> ApixoError:
    made: ApixoError
    if issubclass(kind, errors.RateLimited | errors.ServerError):
        made = kind(*REFUSAL, 7.0)
    elif issubclass(kind, errors.ApiError):
        made = kind(*REFUSAL)
    elif issubclass(kind, errors.TaskFailed):
        made = kind("CONTENT_VIOLATION", "sorry", TASK)
    elif issubclass(kind, errors.TransportError):
        made = kind("broken", was_sent=False)
    elif issubclass(kind, errors.WaitTimeout):
        made = kind("too late", TASK)
    elif issubclass(kind, errors.ResultExpired):
        made = kind("http://results.test/1", 404)
    elif issubclass(kind, errors.UnexpectedResponse):
        made = kind("no sense", b"\xff{" * 500, RESPONSE)
    else:
        made = kind("something")
    made.task = TASK
    return made


def drawn() -> dict[str, str | None]:
    """Return each name of the drawing with the one above it."""
    above: list[str] = []
    tree: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^((?:│   |    )*(?:[├└]── )?)([A-Z]\w+)(?:\s{2,}|$)", line)
        if found:
            depth = len(found[1]) // 4
            del above[depth:]
            tree[found[2]] = above[-1] if above else None
            above.append(found[2])
    return tree


def test_docstring_shows_the_tree_of_errors() -> None:
    tree = {
        kind.__name__: None if kind is ApixoError else kind.__mro__[1].__name__ for kind in CLASSES
    }

    assert drawn() == tree
    assert len(tree) == 19


def test_every_error_is_public_and_has_a_docstring() -> None:
    assert all(getattr(client_reference, kind.__name__) is kind for kind in CLASSES)
    assert all(kind.__doc__ for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_error_can_be_copied_and_pickled(kind: type[ApixoError]) -> None:
    error = example(kind)

    for twin in (copy(error), deepcopy(error), loads(dumps(error))):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert twin.task == TASK
        assert set(vars(twin)) == set(vars(error))
        for name, value in vars(error).items():
            kept = getattr(twin, name)
            if isinstance(value, httpx.Response):
                assert (kept.status_code, kept.content) == (value.status_code, value.content)
            else:
                assert kept == value


@pytest.mark.parametrize("kind", CLASSES)
def test_error_message_is_one_line(kind: type[ApixoError]) -> None:
    told = str(example(kind))

    assert told
    assert "\n" not in told
    assert len(told) < 1500
