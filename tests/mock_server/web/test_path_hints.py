"""Which path is suggested to the client of an unknown path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.web.path_hints import PathHints
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT

SERVED = [BALANCE, SUBMIT, STATUS, "/", "/openapi.json", "/_mock/", "/_mock/clock", "/_mock/tasks",
          "/_mock/tasks/{task_id}", "/_mock/health", "/_mock/openapi.json"]  # fmt: skip
HINTS = PathHints(SERVED)
NONE = "GET / lists the paths of this server"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        pytest.param("/generateTask/gpt-image-1", SUBMIT, id="no-prefix"),
        pytest.param("/v1/statusTask/gpt-image-1", STATUS, id="half-a-prefix"),
        pytest.param(f"/api/v1{SUBMIT}", SUBMIT, id="prefix-twice"),
        pytest.param("/api/v2/generateTask/gpt-image-1", SUBMIT, id="another-version"),
        pytest.param(f"{STATUS}/", STATUS, id="slash-at-the-end"),
        pytest.param(f"/{SUBMIT}", SUBMIT, id="two-slashes"),
        pytest.param("/api/v1/generateTask", SUBMIT, id="no-model"),
        pytest.param("/generateTask/flux", SUBMIT, id="no-prefix-and-another-model"),
        pytest.param("/API/V1/GENERATETASK/GPT-IMAGE-1", SUBMIT, id="capitals"),
        pytest.param("/api/v1/generateTsk/gpt-image-1", SUBMIT, id="misspelt"),
        pytest.param(f"{STATUS}/task_1", f"{STATUS}?taskId=<id>", id="task-in-the-path"),
        pytest.param("/api/v1/balance", BALANCE, id="short-for-balance"),
        pytest.param("/mock/clock", "/_mock/clock", id="control-without-underscore"),
        pytest.param("/_mock/task", "/_mock/tasks", id="control-misspelt"),
        pytest.param("/health", "/_mock/health", id="control-without-prefix"),
        pytest.param("/openapi.yaml", "/openapi.json", id="document"),
    ],
)
def test_suggestion_is_the_path_that_is_meant(path: str, meant: str) -> None:
    assert HINTS.suggestion(path) == f"did you mean {meant}?"


@pytest.mark.parametrize("path", ["/nothing", "/favicon.ico", "/robots.txt", "//", "/x" * 5000])
def test_path_without_likeness_leads_to_the_list(path: str) -> None:
    assert HINTS.suggestion(path) == NONE


@given(st.text())
def test_suggestion_names_served_paths_only(path: str) -> None:
    assert HINTS.suggestion(f"/{path}").removeprefix("did you mean ") in {
        NONE, f"{STATUS}?taskId=<id>?", *(f"{each}?" for each in SERVED)
    }  # fmt: skip
