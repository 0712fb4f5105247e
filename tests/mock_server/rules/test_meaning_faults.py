"""Answers that arrive whole and say something wrong."""

import io
import json

import pytest
from PIL import Image

from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.operation import Operation
from tests.mock_server.e2e.api import Api, Json

STATUS_MEANINGS = [each.value for each in MeaningFault if each.traits.operation is Operation.STATUS]


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


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("127.0.0.1:8080", "http://localhost:8080"),
        ("LocalHost:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://localhost:8080"),
        ("mock", "http://mock"),
    ],
)
def test_a_result_can_be_at_another_host(api: Api, host: str, target: str) -> None:
    path = api.result_urls(ended(api))[0].partition("/results/")[2]
    api.told("POST", "next", {"apply": {"meaning": "result-redirected"}})
    headers = {"Host": host}

    answer = api.http.get(f"/results/{path}?v=1", headers=headers, follow_redirects=False)

    assert answer.status_code == 302
    assert answer.headers["location"] == f"{target}/results/{path}?v=1"
    assert answer.headers["mock-fault"] == "meaning result-redirected"
    assert answer.content == b""
    assert api.http.get(f"/results/{path}").status_code == 200


def test_a_part_of_a_picture_is_broken_as_a_whole_one_is(api: Api) -> None:
    url = api.result_urls(ended(api))[0]
    api.told("POST", "next", {"apply": {"meaning": "result-wrong-type"}})

    broken = api.http.get(url, headers={"Range": "bytes=0-99"})

    assert (broken.status_code, broken.headers["content-type"]) == (200, "text/html")
    assert broken.headers["mock-fault"] == "meaning result-wrong-type"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"If-None-Match": "*"}, 304), ({"Range": "bytes=99999999-"}, 416)],
    ids=["304", "416"],
)
def test_an_answer_without_a_picture_is_left_alone_and_says_so(
    api: Api, headers: dict[str, str], status: int
) -> None:
    url = api.result_urls(ended(api))[0]
    api.told("POST", "next", {"apply": {"meaning": "result-corrupt"}})

    answer = api.http.get(url, headers=headers)

    assert answer.status_code == status
    assert "mock-fault" not in answer.headers


def test_a_result_rule_follows_the_prompt_of_its_task(api: Api) -> None:
    rule = {"match": {"prompt": "cat"}, "apply": {"meaning": "result-missing"}}
    api.told("POST", "rules", rule)
    ids = [api.submit("a cat"), api.submit("a dog")]
    api.advance("2m")

    statuses = [api.http.get(api.result_urls(each)[0]).status_code for each in ids]

    assert statuses == [404, 200]


def test_each_picture_of_a_task_meets_a_rule_by_itself(api: Api) -> None:
    rule = {
        "match": {"operation": "result", "times_each": 1},
        "apply": {"refuse": {"status": 503, "retry_after": 2}},
    }
    api.told("POST", "rules", rule)
    task_id = api.submit(num_images=4)
    api.advance("2m")

    answers = [api.http.get(url) for url in api.result_urls(task_id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 200] * 4
    assert answers[0].headers["retry-after"] == "2"


@pytest.mark.parametrize("meaning", [*STATUS_MEANINGS])
def test_a_failed_or_living_task_is_told_in_json_whatever_is_spoiled(
    api: Api, meaning: str
) -> None:
    ids = [api.submit("[[mock fail=NSFW pending=0 processing=0]]"), api.submit("[[mock hold]]")]
    api.told("POST", "rules", {"match": {"operation": "status"}, "apply": {"meaning": meaning}})

    failed, living = (api.status(each) for each in ids)

    assert failed["taskId"] == ids[0]
    assert living["taskId"] == ids[1]
    assert "resultJson" not in failed | living


def test_the_task_itself_is_never_spoiled(api: Api) -> None:
    task_id = ended(api)
    true = api.status(task_id)
    rules = [{"match": {"times": 1}, "apply": {"meaning": each}} for each in STATUS_MEANINGS]
    api.told("PUT", "rules", {"rules": rules})

    spoiled = [api.status(task_id) for _ in STATUS_MEANINGS]

    assert sum(each != true for each in spoiled) == len(STATUS_MEANINGS) - 1  # one: the order
    assert api.status(task_id) == true
    assert api.task(task_id)["state"] == "success"
