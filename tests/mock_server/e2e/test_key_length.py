"""An API key has at most 512 characters, wherever the server gets it from."""

from collections.abc import Iterator

import pytest

from mock_server.domain.api_key import MAX_KEY_LENGTH
from mock_server.domain.errors import InvalidValue
from mock_server.settings import Settings, load_settings
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT
from tests.mock_server.e2e.serving import RunningMock, running

LONGEST = "k" * MAX_KEY_LENGTH
TOO_LONG = LONGEST + "k"


@pytest.fixture(scope="module")
def with_token() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", admin_token="the-admin-token")) as mock:
        yield mock


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", BALANCE),
        ("GET", f"{STATUS}?taskId=task_1"),
        ("POST", SUBMIT),
        ("POST", "/api/v1/generateTask/flux"),
        ("GET", "/_mock/sandbox"),
        ("GET", "/_mock/journal"),
    ],
)
@pytest.mark.parametrize("length", [MAX_KEY_LENGTH + 1, 50_000])
def test_longer_key_is_401_with_its_length(
    mock: RunningMock, method: str, path: str, length: int
) -> None:
    key = "sk-forbidden".ljust(length, "k")

    answer = mock.http.request(method, path, headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 401
    assert f"at most 512 characters (got {length})" in answer.text
    assert "kkkk" not in answer.text


def test_key_of_512_characters_has_a_sandbox(mock: RunningMock) -> None:
    api = mock.api(LONGEST)

    assert api.send("GET", BALANCE).status_code == 200
    assert api.counters()["journal_entries"] == 1
    api.control("DELETE", "sandbox")


@pytest.mark.parametrize("path", ["/_mock/session", "/_mock/find"])
def test_form_of_the_dashboard_rejects_a_longer_key(with_token: RunningMock, path: str) -> None:
    form = {"key": TOO_LONG}
    if path == "/_mock/find":
        signed_in = with_token.http.post("/_mock/session", data={"token": "the-admin-token"})
        assert signed_in.status_code == 303

    answer = with_token.http.post(path, data=form)
    with_token.http.cookies.clear()

    assert answer.status_code == 401
    assert "An API key must have at most 512 characters." in answer.text
    assert TOO_LONG not in answer.text


def test_longer_api_key_in_the_settings_is_an_error_that_does_not_show_it() -> None:
    assert load_settings({"api_key": (LONGEST,)}, {}, None).api_key == (LONGEST,)
    with pytest.raises(InvalidValue, match="at most 512 characters") as error:
        load_settings({"api_key": ("sk-short", TOO_LONG)}, {}, None)

    assert "kkkk" not in str(error.value)
