"""The OpenAPI document is valid and says what the server does."""

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock


@pytest.fixture
def document(mock: RunningMock) -> Json:
    answer: httpx.Response = mock.http.get("/openapi.json")
    body: Json = answer.raise_for_status().json()
    return body


def test_the_document_needs_no_key_and_is_json(mock: RunningMock) -> None:
    answer = mock.http.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_the_document_is_valid(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_document_names_the_server_that_was_asked(mock: RunningMock, serve: Serve) -> None:
    asked = mock.http.get("/openapi.json", headers={"Host": "mock.test:8080"})
    forged = mock.http.get("/openapi.json", headers={"Host": 'x"><script>'})
    public = serve(Settings(public_url="https://mock.example"))

    assert asked.json()["servers"] == [{"url": "http://mock.test:8080"}]
    assert forged.json()["servers"] == [{"url": mock.url}]
    assert public.http.get("/openapi.json").json()["servers"] == [{"url": "https://mock.example"}]


def test_the_document_of_a_strict_server_is_valid_and_stricter(serve: Serve) -> None:
    strict = serve(Settings(strict=True)).http.get("/openapi.json").json()

    given = strict["components"]["schemas"]["SubmitInput"]
    assert list(OpenAPIV31SpecValidator(strict).iter_errors()) == []
    assert set(given["required"]) == {"prompt", "mode"}


def test_the_document_describes_both_endpoints_the_balance_and_the_callback(
    document: Json,
) -> None:
    methods = {path: set(item) for path, item in document["paths"].items()}

    assert methods == {SUBMIT: {"post"}, STATUS: {"get"}, BALANCE: {"get"}}
    [callback] = document["paths"][SUBMIT]["post"]["callbacks"].values()
    assert list(callback) == ["{$request.body#/callback_url}"]


def test_the_document_names_the_limits_of_the_contract(document: Json) -> None:
    properties = document["components"]["schemas"]["SubmitInput"]["properties"]

    assert (properties["prompt"]["minLength"], properties["prompt"]["maxLength"]) == (1, 10_000)
    assert _values(properties["num_images"]) == {1, 2, 4}
    assert _values(properties["aspect_ratio"]) == {"1:1", "3:2", "2:3"}
    assert "5" in str(properties["image_urls"])


@pytest.mark.parametrize("status", [400, 401, 402, 404, 413, 429])
def test_every_error_that_the_tests_meet_is_described(document: Json, status: int) -> None:
    described = {
        code
        for item in document["paths"].values()
        for operation in item.values()
        for code in operation["responses"]
    }

    assert str(status) in described


def test_a_key_is_required_everywhere(document: Json, api: Api) -> None:
    [scheme] = document["components"]["securitySchemes"].values()

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"]


def _values(schema: Json) -> set[object]:
    """Return the values that an optional member takes."""
    choices = schema.get("anyOf", [schema])
    return {value for choice in choices for value in choice.get("enum", ())} - {None}
