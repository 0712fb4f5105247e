"""A client submits, waits and downloads real pictures."""

import io
import json

import pytest
from PIL import Image

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api

SIZES = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}  # RES-2


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("ratio", SIZES)
def test_a_task_ends_in_as_many_pictures_of_the_size_as_were_asked_for(
    api: Api, ratio: str, count: int
) -> None:
    task_id = api.submit("a red fox", aspect_ratio=ratio, num_images=count)
    api.advance("3m")

    pictures = [api.http.get(url) for url in api.result_urls(task_id)]

    assert [picture.headers["content-type"] for picture in pictures] == ["image/png"] * count
    assert [_size(picture.content) for picture in pictures] == [SIZES[ratio]] * count
    assert len({picture.content for picture in pictures}) == count


def test_without_a_wish_there_is_one_square_picture(api: Api) -> None:
    task_id = api.submit()
    api.advance("3m")

    [url] = api.result_urls(task_id)

    assert _size(api.http.get(url).content) == SIZES["1:1"]


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("[[mock processing=1s]]", id="nothing-but-a-directive"),
        pytest.param(" \n\t ", id="white-space"),
        pytest.param("a\u0000fox\u001b[31m", id="control-characters"),
        pytest.param("\N{FOX FACE}\u200d\N{SNOWFLAKE}\ufe0f", id="emoji"),
        pytest.param("שועל בשלג ثعلب في الثلج 雪の中の狐", id="other-scripts"),
        pytest.param("x" * 10_000, id="one-endless-word"),
        pytest.param("\n" * 10_000, id="nothing-but-lines"),
        pytest.param("\U0010ffff\ufdd0\u0301", id="no-characters"),
    ],
)
def test_any_prompt_can_be_drawn(api: Api, prompt: str) -> None:
    task_id = api.submit(prompt)
    api.advance("3m")

    [url] = api.result_urls(task_id)

    assert _size(api.http.get(url).content) == SIZES["1:1"]


def test_directives_are_not_drawn(serve: Serve) -> None:
    """Only so do the pictures of two servers, one asked with directives, look the same."""
    plain, steered = (serve(Settings(seed=7, generation_time_ms=0)).api("sk-key") for _ in range(2))

    [first] = plain.result_urls(plain.submit("a fox"))
    [second] = steered.result_urls(steered.submit("a fox [[mock processing=0 pending=0]]"))

    assert plain.http.get(first).content == steered.http.get(second).content


def test_an_accepted_submit_answers_with_the_envelope_and_an_id(api: Api) -> None:
    answer = api.try_submit({"input": {"prompt": "a fox"}})

    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (200, 200, "success")
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(body["data"]["taskId"], str)
    assert body["data"]["taskId"]


def test_every_task_has_an_id_of_its_own(api: Api) -> None:
    assert len({api.submit() for _ in range(50)}) == 50


def test_a_task_is_pending_then_processing_then_successful(api: Api) -> None:
    task_id = api.submit()
    plan = api.task(task_id)["plan"]
    created_ms = api.now_ms()
    pending = api.status(task_id)
    api.advance(f"{plan['start_ms'] - created_ms}ms")
    processing = api.status(task_id)
    api.advance(f"{plan['end_ms'] - plan['start_ms'] - 1}ms")
    still_processing = api.status(task_id)
    api.advance("1ms")
    success = api.status(task_id)

    assert pending == {"taskId": task_id, "state": "pending", "createTime": created_ms}
    assert processing == pending | {"state": "processing"}
    assert still_processing == processing
    assert success == {
        "taskId": task_id,
        "state": "success",
        "resultJson": success["resultJson"],
        "createTime": created_ms,
        "completeTime": plan["end_ms"],
        "costTime": plan["end_ms"] - plan["start_ms"],
    }


def test_a_final_answer_never_changes(api: Api) -> None:
    task_id = api.submit()
    api.advance("3m")
    final = api.ask(task_id).content
    api.advance("20d")

    assert api.ask(task_id).content == final


def test_the_result_json_is_a_string_that_holds_json(api: Api) -> None:
    task_id = api.submit(num_images=2)
    api.advance("3m")

    written = api.status(task_id)["resultJson"]

    assert isinstance(written, str)
    assert list(json.loads(written)) == ["resultUrls"]
    assert len(json.loads(written)["resultUrls"]) == 2


def test_the_generation_takes_about_thirty_seconds_on_average(api: Api) -> None:
    plans = [api.task(api.submit())["plan"] for _ in range(200)]
    now_ms = api.now_ms()
    wholes = [plan["end_ms"] - now_ms for plan in plans]

    assert sum(wholes) / len(wholes) == pytest.approx(30_000, rel=0.1)
    assert min(wholes) >= 10_000
    assert max(wholes) <= 90_000
    assert all(1000 <= plan["start_ms"] - now_ms <= 3000 for plan in plans)


def test_with_a_generation_time_of_zero_tasks_end_at_once(api: Api) -> None:
    api.change(generation_time=0)

    ended = api.status(api.submit())

    assert ended["state"] == "success"
    assert ended["createTime"] == ended["completeTime"]
    assert ended["costTime"] == 0


def test_a_task_id_may_be_escaped_and_stand_among_other_parameters(api: Api) -> None:
    task_id = api.submit()
    escaped = "".join(f"%{ord(char):02x}" for char in task_id)

    answer = api.send("GET", f"/api/v1/statusTask/gpt-image-1?_=1&taskId={escaped}&x=")

    assert answer.json()["data"]["taskId"] == task_id


def _size(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as picture:
        picture.load()
        assert picture.format == "PNG"
        return picture.size
