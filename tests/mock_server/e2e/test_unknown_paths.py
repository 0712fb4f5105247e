"""Paths, models and tasks that do not exist, and methods that a path does not take."""

import pytest

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api

UNKNOWN = {
    "no-model": "/api/v1/generateTask/",
    "no-model-and-no-slash": "/api/v1/generateTask",
    "another-version": "/api/v2/generateTask/gpt-image-1",
    "below-a-model": f"{SUBMIT}/more",
    "control": "/_mock/nothing",
    "control-with-a-slash-too-many": "/_mock/health/",
    "result": "/results/nothing.png",
    "escaped-dots": "/results/..%2f..%2fetc%2fpasswd",
}


@pytest.mark.parametrize("path", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_not_found(api: Api, method: str, path: str) -> None:
    answer = api.send(method, path)

    if path.startswith("/results/") and method == "POST":
        assert answer.status_code == 405
    else:
        assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "/api/v1/generateTask/flux", id="submit"),
        pytest.param("GET", "/api/v1/statusTask/flux?taskId=task_1", id="status"),
    ],
)
def test_a_model_that_is_not_served_is_not_found(api: Api, method: str, path: str) -> None:
    answer = api.send(method, path)

    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert "gpt-image-1" in answer.json()["data"]["error"]


def test_a_task_is_not_found_on_the_path_of_another_model(api: Api) -> None:
    task_id = api.submit()

    answer = api.send("GET", f"/api/v1/statusTask/flux?taskId={task_id}")

    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["", "?taskId=", "?taskid=task_1", "?taskId"])
def test_a_status_request_without_a_task_id_is_refused(api: Api, query: str) -> None:
    answer = api.send("GET", f"{STATUS}{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["data"]["error"].startswith("taskId: ")


@pytest.mark.parametrize("task_id", ["task_1", "%00", "é", "x" * 5000, "../balance", "task_1&"])
def test_an_unknown_task_is_not_found(api: Api, task_id: str) -> None:
    answer = api.ask(task_id)

    assert (answer.status_code, answer.json()["code"]) == (404, 404)


METHODS = {
    "submit": (SUBMIT, ["GET", "PUT", "DELETE", "PATCH", "HEAD"], {"POST"}),
    "status": (STATUS, ["POST", "PUT", "DELETE"], {"GET"}),
    "balance": (BALANCE, ["POST", "DELETE"], {"GET"}),
    "another-model": ("/api/v1/generateTask/flux", ["GET"], {"POST"}),
    "result": ("/results/x.png", ["POST", "DELETE"], {"GET", "HEAD"}),
    "health": ("/_mock/health", ["POST", "DELETE"], {"GET", "HEAD"}),
    "sandbox": ("/_mock/sandbox", ["POST", "PUT"], {"GET", "HEAD", "PATCH", "DELETE"}),
    "clock": ("/_mock/clock", ["POST", "DELETE"], {"GET", "HEAD", "PUT"}),
    "advance": ("/_mock/clock/advance", ["GET", "PUT"], {"POST"}),
    "finish": ("/_mock/tasks/task_1/finish", ["GET"], {"POST"}),
    "document": ("/openapi.json", ["POST"], {"GET", "HEAD"}),
    "root": ("/", ["POST", "PUT"], {"GET", "HEAD"}),
}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        pytest.param(method, path, allowed, id=f"{method}-{name}")
        for name, (path, methods, allowed) in METHODS.items()
        for method in methods
    ],
)
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.send(method, path)

    assert answer.status_code == 405
    assert {name.strip() for name in answer.headers["allow"].split(",")} == allowed
    assert method == "HEAD" or answer.json()["code"] == 405


@pytest.mark.parametrize(
    ("path", "allowed"),
    [pytest.param(path, allowed, id=name) for name, (path, _, allowed) in METHODS.items()],
)
def test_options_names_the_methods_of_a_path_and_counts_nothing(
    api: Api, path: str, allowed: set[str]
) -> None:
    before = api.counters()
    answer = api.send("OPTIONS", path)

    assert (answer.status_code, answer.content) == (204, b"")
    named = {name.strip() for name in answer.headers["allow"].split(",")}
    assert named == {*allowed, "OPTIONS"}
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert api.counters() == before


def test_options_of_an_unknown_path_is_not_found(api: Api) -> None:
    assert api.send("OPTIONS", "/nothing").status_code == 404


def test_request_with_a_wrong_method_is_in_the_journal(api: Api) -> None:
    api.send("POST", f"{STATUS}?taskId=task_1")

    (entry,) = api.send("GET", "/_mock/journal").json()["entries"]

    assert (entry["operation"], entry["request"]["method"]) == ("status", "POST")
    assert (entry["status"], entry["answer"]["status"]) == (405, 405)
