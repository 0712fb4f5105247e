"""The OpenAPI document of the control plane is valid and describes exactly what is served."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_server.control.call import Call, CallRoute
from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.control.documented import PATH
from tests.mock_server.e2e.api import Json
from tests.mock_server.e2e.serving import RunningMock

OF_THE_DASHBOARD = {
    "/_mock/audit/page",
    "/_mock",
    "/_mock/",
    "/_mock/find",
    "/_mock/session",
    "/_mock/submit",
    "/_mock/static/{name}",
    "/_mock/tasks/{task_id}/images/{number:int}",
}
WITHOUT_KEY = {"/_mock/health", "/_mock/ready", "/_mock/info", "/_mock/metrics", PATH}
ADMIN = "/_mock/sandboxes"


def operations(document: Json) -> dict[tuple[str, str], Json]:
    return {
        (path, method): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


@pytest.fixture
def served(mock: RunningMock) -> list[tuple[str, Call]]:
    """Return method and call of everything that the router serves, except the dashboard."""
    routes = [route for route in mock.app.control.plane().routes if isinstance(route, CallRoute)]
    others = {
        getattr(route, "path", "")
        for route in mock.app.control.plane().routes
        if route not in routes
    }
    assert not [path for path in others if path.startswith("/_mock")]
    assert {route.path for route in routes} >= OF_THE_DASHBOARD
    return [
        (method, route.calls[method])
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
        if route.path not in OF_THE_DASHBOARD
    ]


def test_control_document_is_json_and_needs_no_api_key(mock: RunningMock) -> None:
    answer = mock.http.get(PATH)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


def test_control_document_is_valid_openapi(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_control_document_names_the_server_that_was_asked(mock: RunningMock) -> None:
    answer = mock.http.get(PATH, headers={"Host": "mock.test:8080"})

    assert answer.json()["servers"] == [{"url": "http://mock.test:8080"}]


def test_control_document_describes_exactly_the_served_calls(
    document: Json, served: list[tuple[str, Call]]
) -> None:
    assert set(operations(document)) == {(call.path, method.lower()) for method, call in served}


def test_calls_accept_exactly_the_documented_query_parameters(
    mock: RunningMock, document: Json
) -> None:
    documented = {
        each: {parameter["name"] for parameter in operation.get("parameters", ())}
        for each, operation in operations(document).items()
    }
    everywhere = set().union(*documented.values(), {"unheard_of"})
    accepted = {
        (path, method): {
            name
            for name in everywhere
            if f"{name}: is unknown" not in mock.http.request(method, path, params={name: "x"}).text
        }
        for path, method in documented
    }

    assert accepted == documented


def test_control_document_states_what_each_call_needs_to_authenticate(document: Json) -> None:
    needs = {path: operation["security"] for (path, _), operation in operations(document).items()}

    assert {path for path, need in needs.items() if need == []} == WITHOUT_KEY
    assert needs.pop(ADMIN) == [{"adminToken": []}, {}]
    rest = [need for path, need in needs.items() if path not in WITHOUT_KEY]
    assert all(need == [{"apiKey": []}] for need in rest)
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"apiKey", "adminToken"}
    assert all((each["type"], each["scheme"]) == ("http", "bearer") for each in schemes.values())


def test_operation_ids_are_unique(document: Json) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]

    assert len(set(names)) == len(names)


def test_every_component_of_the_control_document_is_used(document: Json) -> None:
    written = str(document)

    for kind in ("schemas", "responses"):
        for name in document["components"][kind]:
            assert f"#/components/{kind}/{name}'" in written, name


def test_control_document_contains_no_secret(serve: Serve) -> None:
    mock = serve(Settings(admin_token="hush-hush", api_key=("sk-secret",)))

    told = mock.http.get(PATH).text
    assert "hush" not in told
    assert "sk-secret" not in told
