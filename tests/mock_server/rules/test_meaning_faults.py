"""Answers that arrive whole and say something wrong."""

import io
import json

import pytest
from PIL import Image

from tests.mock_server.e2e.api import Api, Json


def ended(api: Api) -> str:
    task_id = api.submit()
    api.advance("2m")
    return task_id


def next_status(api: Api, task_id: str, meaning: str) -> Json:
    api.told("POST", "next", {"apply": {"meaning": meaning}})
    return api.status(task_id)


def test_result_json_can_be_malformed_or_empty(api: Api) -> None:
    task_id = ended(api)

    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(next_status(api, task_id, "result-json-malformed")["resultJson"])
    empty = next_status(api, task_id, "result-urls-empty")
    assert json.loads(empty["resultJson"]) == {"resultUrls": []}


def test_they_wait_for_a_task_that_has_succeeded(api: Api) -> None:
    task_id = api.submit()
    api.told("POST", "next", {"apply": {"meaning": "result-urls-empty"}})

    assert api.status(task_id)["state"] == "pending"
    api.advance("2m")
    assert json.loads(api.status(task_id)["resultJson"]) == {"resultUrls": []}


def test_a_state_can_be_unknown_or_late(api: Api) -> None:
    task_id = ended(api)

    assert next_status(api, task_id, "unknown-state")["state"] not in {
        "pending", "processing", "success", "failed",
    }  # fmt: skip
    late = next_status(api, task_id, "final-late")
    assert set(late) == {"taskId", "state", "createTime"}
    assert late["state"] == "processing"
    assert api.status(task_id)["state"] == "success"


def test_members_can_be_more_or_in_another_order(api: Api) -> None:
    task_id = ended(api)
    true = api.status(task_id)

    more = next_status(api, task_id, "unknown-members")
    other = next_status(api, task_id, "member-order")
    assert true.items() < more.items()
    assert other == true
    assert list(other) != list(true)


@pytest.mark.parametrize(("meaning", "status"), [("result-missing", 404), ("result-expired", 410)])
def test_a_result_can_be_away(api: Api, meaning: str, status: int) -> None:
    url = api.result_urls(ended(api))[0]
    api.told("POST", "next", {"apply": {"meaning": meaning}})

    assert [api.http.get(url).status_code for _ in range(2)] == [status, 200]


@pytest.mark.parametrize("meaning", ["result-truncated", "result-corrupt", "result-wrong-type"])
def test_a_result_can_be_no_picture(api: Api, meaning: str) -> None:
    url = api.result_urls(ended(api))[0]
    api.told("POST", "next", {"apply": {"meaning": meaning}})

    broken, true = api.http.get(url), api.http.get(url)

    assert broken.status_code == 200
    assert (broken.headers["content-type"] == "image/png") == (meaning != "result-wrong-type")
    with pytest.raises((OSError, SyntaxError, ValueError)):
        Image.open(io.BytesIO(broken.content)).load()
    Image.open(io.BytesIO(true.content)).load()
