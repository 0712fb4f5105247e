"""Control shows and ends the caller's tasks."""

import pytest

from tests.mock_server.e2e.api import Api


def test_tasks_are_listed_newest_first(api: Api) -> None:
    first, second = api.submit("a fox"), api.submit("a hare")

    shown = api.told("GET", "tasks")["tasks"]

    assert [each["task_id"] for each in shown] == [second, first]
    assert [each["prompt"] for each in shown] == ["a hare", "a fox"]
    assert {each["state"] for each in shown} == {"pending"}
    assert {each["create_time_ms"] for each in shown} == {api.now_ms()}


def test_a_task_is_shown_with_what_was_asked_for(api: Api) -> None:
    task_id = api.submit(
        "a fox", callback_url="http://127.0.0.1:9/", aspect_ratio="3:2", num_images=2
    )

    shown = api.task(task_id)

    assert (shown["task_id"], shown["model"]) == (task_id, "gpt-image-1")
    assert (shown["aspect_ratio"], shown["num_images"]) == ("3:2", 2)
    assert shown["request_type"] == "callback"
    assert set(shown) >= {"plan", "explain", "timeline"}


def test_the_end_of_a_task_is_shown(api: Api) -> None:
    good, bad = api.submit("[[mock pending=1s processing=1s]]"), api.submit("gore")
    ended_ms = api.now_ms() + 2000
    api.advance("3m")

    success, failed = api.task(good), api.task(bad)

    assert (success["state"], success["complete_time_ms"]) == ("success", ended_ms)
    assert success["result_urls"] == api.result_urls(good)
    assert (failed["state"], failed["fail_code"]) == ("failed", "CONTENT_VIOLATION")
    assert failed["fail_msg"] == api.status(bad)["failMsg"]


@pytest.mark.parametrize("state", ["pending", "processing", "success", "failed"])
def test_tasks_can_be_listed_by_their_state(api: Api, state: str) -> None:
    tasks = {
        "success": api.submit("[[mock pending=0 processing=1s]]"),
        "failed": api.submit("[[mock pending=0 processing=1s fail=NSFW]]"),
        "processing": api.submit("[[mock hold pending=0]]"),
        "pending": api.submit("[[mock pending=1h]]"),
    }
    api.advance(1)

    shown = api.told("GET", f"tasks?state={state}")["tasks"]

    assert [each["task_id"] for each in shown] == [tasks[state]]


def test_a_list_has_a_hundred_tasks_unless_another_limit_is_given(api: Api) -> None:
    newest = [api.submit() for _ in range(105)][::-1]

    assert [each["task_id"] for each in api.told("GET", "tasks")["tasks"]] == newest[:100]
    assert [each["task_id"] for each in api.told("GET", "tasks?limit=2")["tasks"]] == newest[:2]
    assert len(api.told("GET", "tasks?limit=1000")["tasks"]) == 105


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("state=succes", 'state: "succes" is unknown; did you mean "success"?'),
        ("state=", 'state: "" is unknown'),
        ("stat=success", 'stat: is unknown; did you mean "state"?'),
        ("limit=0", "limit: must be a whole number, at least 1 (got 0)"),
        ("limit=-1", "limit: "),
        ("limit=ten", "limit: "),
        ("limit=1.5", "limit: "),
        ("limit=99999999999999999999", "limit: "),
    ],
)
def test_a_wrong_filter_is_refused_by_its_name(api: Api, query: str, problem: str) -> None:
    answer = api.control("GET", f"tasks?{query}")

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith(problem)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "tasks/task_1"), ("POST", "tasks/task_1/finish"), ("GET", "tasks/task_1/more")],
)
def test_an_unknown_task_is_not_found(api: Api, method: str, path: str) -> None:
    answer = api.control(method, path, {"state": "success"} if method == "POST" else None)

    assert (answer.status_code, answer.json()["code"]) == (404, 404)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param({}, "Missing required field: state", id="no-state"),
        pytest.param({"state": "pending"}, "state: ", id="a-state-that-is-no-end"),
        pytest.param({"state": 1}, "state: ", id="no-word"),
        pytest.param(
            {"state": "failed", "failCode": "NSFV"},
            'failCode: "NSFV" is unknown; did you mean "NSFW"?',
            id="unknown-code",
        ),
        pytest.param({"state": "failed", "failCode": ""}, "failCode: ", id="empty-code"),
        pytest.param({"state": "failed", "failCode": 1}, "failCode: ", id="code-that-is-no-word"),
        pytest.param({"state": "failed", "failMsg": []}, "failMsg: ", id="message-that-is-no-text"),
        pytest.param({"state": "success", "failCode": "NSFW"}, "failCode: ", id="code-of-success"),
        pytest.param(
            {"state": "failed", "fail_code": "NSFW"},
            'fail_code: is unknown; did you mean "failCode"?',
            id="unknown-member",
        ),
    ],
)
def test_a_wrong_end_is_refused_and_the_task_goes_on(
    api: Api, body: dict[str, object], problem: str
) -> None:
    task_id = api.submit()

    answer = api.control("POST", f"tasks/{task_id}/finish", body)

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith(problem)
    assert api.status(task_id)["state"] == "pending"


def test_no_deliveries_are_listed_where_there_are_none(api: Api) -> None:
    api.submit()

    assert api.told("GET", "callbacks") == {"deliveries": []}
