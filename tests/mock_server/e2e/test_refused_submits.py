"""What a submit must not hold, and what it may (SUB-2 … SUB-16)."""

import copy
from typing import Any

import pytest

from tests.mock_server.e2e.api import Api, Json

ABSENT = object()
GOOD: Json = {
    "request_type": "callback",
    "callback_url": "http://127.0.0.1:9/hook",
    "provider": "auto",
    "input": {
        "mode": "gpt-image-1",
        "prompt": "a fox",
        "aspect_ratio": "1:1",
        "num_images": 1,
        "image_urls": [],
    },
}
WRONG: dict[str, list[Any]] = {
    "request_type": ["webhook", "ASYNC", "", 1, True, [], {}],
    "callback_url": [
        ABSENT, None, "", "hook", "ftp://example.com/", "http://", "https:///hook", "//host/hook",
        "http://a b/", "http://host:port/", "http://[::1/", "http://host/\u0000", 1, [],
        "http://host/" + "a" * 3000,
    ],
    "provider": ["cheap", "AUTO", "", 1, False],
    "input": [ABSENT, None, [], "a fox", 1],
    "input.mode": ["gpt-image-2", "inpainting", "", 1],
    "input.prompt": [ABSENT, None, "", 1, ["a fox"], "x" * 10_001, "\N{FOX FACE}" * 10_001],
    "input.aspect_ratio": ["16:9", "1:1 ", "3x2", "", 1.5, []],
    "input.num_images": [0, 3, 5, -1, 1.5, "1", True, 10**30, [1]],
    "input.image_urls": ["https://example.com/a.png", ["https://example.com/a.png"] * 6, {}, 1],
    "input.image_urls[0]": [[1], [None], [["https://example.com/a.png"]]],
    "input.image_urls[1]": [["https://example.com/a.png", 1]],
}  # fmt: skip
ROWS = [
    pytest.param(path, value, id=f"{path}={'absent' if value is ABSENT else repr(value)[:40]}")
    for path, values in WRONG.items()
    for value in values
]
RIGHT: dict[str, list[Any]] = {
    "request_type": [ABSENT, None, "async", "callback"],
    "callback_url": ["http://localhost/", "https://[::1]:8443/a?b#c", "http://user:pw@host/"],
    "provider": [ABSENT, None, "auto", "value", "official"],
    "input.mode": [ABSENT, None, "gpt-image-1", "text-to-image", "image-to-image"],
    "input.prompt": ["x", "x" * 10_000, "\N{FOX FACE}" * 10_000, " ", "\u0000"],
    "input.aspect_ratio": [ABSENT, None, "1:1", "3:2", "2:3"],
    "input.num_images": [ABSENT, None, 1, 2, 4],
    "input.image_urls": [ABSENT, None, [], ["https://example.com/a.png"] * 5],
    "input.isEnhance": [True],
    "webhook": ["https://example.com/hook"],
}
GOOD_ROWS = [
    pytest.param(path, value, id=f"{path}={'absent' if value is ABSENT else repr(value)[:40]}")
    for path, values in RIGHT.items()
    for value in values
]


def changed(path: str, value: object) -> Json:
    """Return a good body with another value at the path."""
    body = copy.deepcopy(GOOD)
    *parents, name = path.partition("[")[0].split(".")
    place = body
    for parent in parents:
        place = place[parent]
    if value is ABSENT:
        place.pop(name)
    else:
        place[name] = value
    return body


@pytest.mark.parametrize(("path", "value"), ROWS)
def test_a_wrong_value_is_refused_by_the_path_of_its_field(
    api: Api, path: str, value: object
) -> None:
    answer = api.try_submit(changed(path, value))

    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (400, 400, "Invalid request")
    detail = body["data"]["error"].removeprefix("Missing required field: ")
    assert detail == path or detail.startswith(f"{path}: "), detail
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("path", "value"), GOOD_ROWS)
def test_a_right_value_is_accepted(api: Api, path: str, value: object) -> None:
    assert api.try_submit(changed(path, value)).status_code == 200


def test_the_documented_example_of_a_missing_field_is_given_word_by_word(api: Api) -> None:
    answer = api.try_submit({"input": {"mode": "gpt-image-1"}})

    assert answer.json() == {
        "code": 400,
        "message": "Invalid request",
        "data": {"error": "Missing required field: input.prompt"},
    }


def test_a_refusal_says_what_is_allowed(api: Api) -> None:
    answer = api.try_submit({"input": {"prompt": "a fox", "num_images": 3}})

    assert answer.json()["data"]["error"] == "input.num_images: must be one of 1, 2, 4 (got 3)"


def test_a_refused_submit_leaves_no_task_behind_and_costs_nothing(api: Api) -> None:
    before = api.balance()
    api.try_submit({"input": {"prompt": ""}})

    assert api.told("GET", "tasks") == {"tasks": []}
    assert api.balance() == before


def test_the_name_of_an_older_edition_counts_as_unknown(api: Api) -> None:
    task_id = api.submit(nVariants=4)

    assert api.task(task_id)["num_images"] == 1


def test_the_callback_address_of_an_async_task_is_not_looked_at(api: Api) -> None:
    body = {"request_type": "async", "callback_url": "none", "input": {"prompt": "a fox"}}

    assert api.try_submit(body).status_code == 200


@pytest.mark.parametrize(
    ("directive", "nearest"),
    [
        pytest.param("[[mock fial=NSFW]]", "fail", id="name"),
        pytest.param("[[mock fail=CONTENT_VIOLATIONS]]", "CONTENT_VIOLATION", id="code"),
        pytest.param("[[mock pending=soon]]", "2s", id="duration"),
        pytest.param("[[mock polls=0]]", "from 1", id="polls"),
        pytest.param("[[mock hold=yes]]", "without a value", id="hold"),
        pytest.param("[[mock hold", "[[mock", id="not-closed"),
    ],
)
def test_an_unknown_directive_is_refused_and_the_nearest_known_is_named(
    api: Api, directive: str, nearest: str
) -> None:
    answer = api.try_submit({"input": {"prompt": f"a fox {directive}"}})

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith("input.prompt: directive ")
    assert nearest in answer.json()["data"]["error"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("input.mode", ABSENT, id="no-mode"),
        pytest.param("input.mode", "text-to-image", id="a-general-mode"),
        pytest.param("callback_url", "http://example.com/hook", id="callback-by-http"),
        pytest.param("callback_url", "https://127.0.0.1/hook", id="callback-to-loopback"),
        pytest.param("callback_url", "https://10.0.0.1/hook", id="callback-to-a-private-network"),
        pytest.param("callback_url", "https://localhost/hook", id="callback-to-a-private-name"),
    ],
)
def test_strictness_enforces_what_is_lax_by_default(api: Api, path: str, value: object) -> None:
    api.change(strict=True)
    refused = changed("callback_url", "https://example.com/hook") | changed(path, value)

    answer = api.try_submit(refused)

    assert answer.status_code == 400
    assert path in answer.json()["data"]["error"]


def test_strictness_takes_the_model_pages_body_and_no_directives(api: Api) -> None:
    api.change(strict=True)
    body = changed("callback_url", "https://example.com/hook")
    body["input"]["prompt"] = "[[mock fail=GENERATION_FAILED]] a fox"

    task_id = api.try_submit(body).json()["data"]["taskId"]

    assert api.task(task_id)["plan"]["outcome"] == "success"
