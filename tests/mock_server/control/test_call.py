"""A call is declared once: its handler's signature decides what it accepts and answers."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta
from starlette.responses import Response

from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.openapi.document import control_document
from mock_server.control.query import Timeout, check_names, parameters, read_query
from mock_server.domain.store import SandboxReader
from mock_server.domain.task import TaskState


class Colours(msgspec.Struct):
    state: TaskState | None = None
    hue: Literal["red", "blue"] = "red"
    limit: Annotated[int, Meta(ge=1, description="At most so many.")] = 10
    since: Annotated[int, Meta(ge=0)] | None = None
    name: str | None = None
    timeout_s: Timeout = msgspec.field(name="timeout", default=5.0)


class Paint(msgspec.Struct, forbid_unknown_fields=True):
    hue: str
    coats: int = 1


class Painted(msgspec.Struct):
    wall_id: str


async def paint(sandbox: SandboxReader, wall_id: str, query: Colours, body: Paint) -> Painted:
    raise NotImplementedError


async def scrape() -> Response:
    raise NotImplementedError


PAINT = Call("POST", "/_mock/walls/{wall_id}/paint", paint, "Paint a wall", rejects=(404,))


def test_route_and_document_of_a_call_follow_from_its_handler() -> None:
    document = control_document([PAINT], {}, "http://mock")
    item = document["paths"]["/_mock/walls/{wall_id}/paint"]

    operation = item["post"]
    assert [each["name"] for each in item["parameters"]] == ["wall_id"]
    assert [each["name"] for each in operation["parameters"]] == [
        "state", "hue", "limit", "since", "name", "timeout",
    ]  # fmt: skip
    assert operation["requestBody"]["required"]
    body, answer = operation["requestBody"], operation["responses"]["200"]
    schemas = [each["content"]["application/json"]["schema"] for each in (body, answer)]
    assert schemas == [{"$ref": f"#/components/schemas/{each}"} for each in ("Paint", "Painted")]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "404", "405", "413", "503"}
    assert operation["security"] == [{"apiKey": []}]


def test_call_without_a_summary_is_not_described() -> None:
    assert control_document([Call("GET", "/_mock/x", scrape)], {}, "http://mock")["paths"] == {}


def test_handler_with_an_unknown_parameter_is_rejected_at_the_start() -> None:
    with pytest.raises(TypeError, match=r"GET /_mock/walls: no argument for \['wall_id'\]"):
        Call("GET", "/_mock/walls", paint, "Paint")
    with pytest.raises(TypeError, match=r"\['sandbox'\]"):
        Call("GET", "/_mock/walls/{wall_id}", paint, "Paint", caller="anyone")


def test_described_handler_that_returns_a_response_must_declare_its_answer() -> None:
    with pytest.raises(TypeError, match="declare the type of the response"):
        Call("GET", "/_mock/x", scrape, "Scrape")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Colours()),
        ({"state": "failed"}, Colours(state=TaskState.FAILED)),
        ({"limit": "007", "since": "0"}, Colours(limit=7, since=0)),
        ({"name": "7"}, Colours(name="7")),
        ({"timeout": "500ms"}, Colours(timeout_s=0.5)),
        ({"timeout": "5m"}, Colours(timeout_s=300.0)),
    ],
    ids=str,
)
def test_query_parameters_are_read_as_their_types(given: dict[str, str], expected: Colours) -> None:
    assert read_query(given, Colours) == expected


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("state", "fail", 'state: "fail" is unknown; did you mean "failed"?'),
        ("hue", "bleu", 'hue: "bleu" is unknown; did you mean "blue"?'),
        ("limit", "0", "limit: must be a whole number, at least 1 (got 0)"),
        ("limit", "1.5", 'limit: must be a whole number, at least 1 (got "1.5")'),
        ("since", "null", 'since: must be a whole number, at least 0 (got "null")'),
        ("timeout", "301", "timeout: must be a duration from 0 to 300 s, such as"),
        ("timeout", "soon", "timeout: must be a duration from 0 to 300 s, such as"),
    ],
)
def test_invalid_query_parameter_is_rejected_with_its_name(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(ControlError) as rejection:
        read_query({name: value}, Colours)

    assert rejection.value.status == 400
    assert rejection.value.detail.startswith(problem)


def test_unknown_query_parameter_is_rejected_with_the_closest_name() -> None:
    with pytest.raises(ControlError, match=r'limits: is unknown; did you mean "limit"\?'):
        check_names({"limits": "1"}, Colours)
    with pytest.raises(ControlError, match="x: is unknown; this call has no query parameters"):
        check_names({"x": "1"}, None)


def test_query_parameters_are_described_with_types_limits_and_defaults() -> None:
    schemas = {each["name"]: each["schema"] for each in parameters(Colours)}

    assert schemas["state"] == {"$ref": "#/components/schemas/TaskState"}
    assert sorted(schemas["hue"]["enum"]) == ["blue", "red"]
    assert schemas["limit"] == {
        "type": "integer", "minimum": 1, "maximum": 10**15 - 1,
        "default": 10, "description": "At most so many.",
    }  # fmt: skip
    assert "default" not in schemas["since"]
    assert schemas["name"] == {"type": "string"}
    assert schemas["timeout"]["default"] == 5.0
