"""A request that reaches no endpoint gets an answer that says what to change."""

import logging
import ssl

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import exchange

LISTED = "the server does not accept this key; it accepts those set with --api-key"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/generateTask/gpt-image-1", f"{SUBMIT}/"])
def test_unknown_path_is_answered_with_the_path_that_is_meant(
    api: Api, method: str, path: str
) -> None:
    answer = api.send(method, path)

    assert (answer.status_code, answer.json()) == (
        404,
        {
            "code": 404,
            "message": "Not found",
            "data": {"error": f"{method} {path}: unknown path; did you mean {SUBMIT}?"},
        },
    )


def test_wrong_method_of_a_control_call_is_answered_with_the_right_ones(api: Api) -> None:
    answer = api.control("DELETE", "clock")

    detail = "DELETE /_mock/clock: must be called with GET, HEAD, PUT (got DELETE)"
    assert answer.json()["data"]["error"] == detail


@pytest.mark.parametrize(("model", "hint"), [("gpt-image-2", '; did you mean "gpt-image-1"?')])
def test_wrong_model_is_answered_with_the_nearest(api: Api, model: str, hint: str) -> None:
    answer = api.send("POST", f"/api/v1/generateTask/{model}")

    assert answer.json()["data"]["error"] == f'model: "{model}" is unknown{hint}'


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        pytest.param({}, "send the header Authorization: Bearer <key>", id="no-header"),
        pytest.param(
            {"X-API-Key": "secret-key"},
            "send the header Authorization: Bearer <key>, not X-API-Key",
            id="another-header",
        ),
        pytest.param(
            {"Authorization": "secret-key"},
            "Authorization: must be Bearer <key>, with the word Bearer and a key after it",
            id="no-scheme",
        ),
        pytest.param(
            {"Authorization": "Bearer sk-invalid-secret"},
            "keys that begin with sk-invalid are always rejected; use another key",
            id="sk-invalid",
        ),
    ],
)
@pytest.mark.parametrize("path", [BALANCE, "/_mock/sandbox"])
def test_missing_or_invalid_key_is_answered_with_what_to_send(
    mock: RunningMock, path: str, headers: dict[str, str], problem: str
) -> None:
    answer = mock.http.get(path, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["data"]["error"].removesuffix("; the key selects the sandbox") == problem
    assert "secret" not in answer.text


def test_key_that_is_not_listed_is_answered_with_the_switch_and_not_with_the_keys(
    serve: Serve,
) -> None:
    answer = serve(Settings(api_key=("secret-key",))).api("another-key").send("GET", BALANCE)

    assert answer.json()["data"] == {"error": LISTED}


def test_tls_handshake_is_logged_and_answered_as_what_it_is(
    mock: RunningMock, caplog: pytest.LogCaptureFixture
) -> None:
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with caplog.at_level(logging.WARNING):
        answer, body = exchange(mock, outgoing.read())

    assert answer.status == 400
    assert b"http://" in body
    [line] = [each.getMessage() for each in caplog.records]
    assert "127.0.0.1" in line
    assert "sent a TLS handshake to this http port" in line
