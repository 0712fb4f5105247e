"""Build the provider's OpenAPI 3.1 document from the catalogue and the validating types.

The names of the structs are the names of the schemas in the document.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mock_server.domain.catalogue import Catalogue, Model
from mock_server.domain.submission import (
    CALLBACK_URL_PATTERN,
    MAX_CALLBACK_URL_LENGTH,
    body_type,
)
from mock_server.version import __version__
from mock_server.web.paths import BALANCE_PATH, STATUS_PATH, SUBMIT_PATH

Json = dict[str, Any]
Instant = Annotated[int, Meta(ge=0, description="Instant in Unix milliseconds (STA-9).")]
Duration = Annotated[int, Meta(ge=0, description="Duration in milliseconds (STA-10).")]
FailCode = Annotated[str, Meta(extra_json_schema={"$ref": "#/components/schemas/FailCode"})]
TaskId = Annotated[str, Meta(min_length=1, description="Opaque id of a task.")]


class Accepted(msgspec.Struct, rename="camel"):
    task_id: TaskId


class Unfinished(msgspec.Struct, rename="camel"):
    task_id: TaskId
    state: Literal["pending", "processing"]
    create_time: Instant


class Succeeded(msgspec.Struct, rename="camel"):
    task_id: TaskId
    state: Literal["success"]
    result_json: Annotated[
        str, Meta(description='JSON text of an object: {"resultUrls": [URL, …]} (STA-6).')
    ]
    create_time: Instant
    complete_time: Instant
    cost_time: Duration


class Failed(msgspec.Struct, rename="camel"):
    task_id: TaskId
    state: Literal["failed"]
    fail_code: FailCode
    fail_msg: str
    create_time: Instant
    complete_time: Instant
    cost_time: Duration


class Detail(msgspec.Struct, rename="camel", omit_defaults=True):
    error: str
    fail_code: FailCode | UnsetType = UNSET  # The submit itself has failed (FAIL-6).
    fail_msg: str | UnsetType = UNSET


class ErrorEnvelope(msgspec.Struct):
    """The envelope of an error (ENV-2)."""

    code: int
    message: str
    data: Detail | None


_RESPONSES = (Accepted, Unfinished, Succeeded, Failed, ErrorEnvelope)
_REF = "#/components/schemas/"


def provider_document(
    catalogue: Catalogue, *, strict: bool, general_ratios: bool, base_url: str
) -> Json:
    """Return the document: endpoints of all models, balance, callback.

    `strict` and `general_ratios` describe the request bodies that a server with --strict or
    --general-parameters accepts. `base_url` is where the reader of the document reaches the server.
    """
    paths: Json = {}
    schemas: Json = {}
    for model in catalogue.models.values():
        prefix = (
            "" if len(catalogue.models) == 1 else "".join(filter(str.isalnum, model.id.title()))
        )
        body = body_type(model, strict=strict, general_ratios=general_ratios, name_prefix=prefix)
        schemas |= _schemas(body)
        paths[SUBMIT_PATH + model.id] = {"post": _submit(model, body.__name__)}
        paths[STATUS_PATH + model.id] = {"get": _status(model)}
        _require_callback_url(schemas[body.__name__])
    for response in _RESPONSES:
        schemas |= _schemas(response)
    schemas["FailCode"] = {
        "type": "string",
        "description": "The known codes; a client must expect others (FAIL-1 … FAIL-3).",
        "examples": list(catalogue.fail_messages),
    }
    schemas["Status"] = {
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {
            "code": {"const": 200},
            "message": {"const": "success"},
            "data": {"oneOf": [_ref("Unfinished"), _ref("Succeeded"), _ref("Failed")]},
        },
    }
    paths[BALANCE_PATH] = {"get": _balance()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "APIXO image generation, simulated",
            "version": __version__,
            "description": "The provider's API as the mock implements it. Ids such as SUB-1"
            " are clauses of the provider's contract.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"apiKey": []}],
    }


def _submit(model: Model, body: str) -> Json:
    return {
        "operationId": f"generateTask-{model.id}",
        "summary": "Create a task (SUB-1).",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(body)}}},
        "responses": {
            "200": _response("The task was accepted.", _success(_ref("Accepted")))
            | _link_to_status(model, "$response.body#/data/taskId"),
            **_errors(400, 401, 402, 403, 413, 429, 503),
        },
        "callbacks": {
            "taskEnded": {
                "{$request.body#/callback_url}": {
                    "post": {
                        "summary": "Receive the final status of a callback task (CB-1).",
                        "security": [],
                        "requestBody": {
                            "required": True,
                            "content": {"application/json": {"schema": _ref("Status")}},
                        },
                        "responses": {"200": {"description": "The callback was received (CB-2)."}},
                    }
                }
            }
        },
    }


def _status(model: Model) -> Json:
    return {
        "operationId": f"statusTask-{model.id}",
        "summary": "Get the status of a task (STA-3).",
        "parameters": [
            {
                "name": "taskId",
                "in": "query",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
            }
        ],
        "responses": {
            "200": _response("The current status of the task.", _ref("Status"))
            | _link_to_status(model, "$request.query.taskId"),
            **_errors(400, 401, 403, 404, 429),
        },
    }


def _link_to_status(model: Model, task_id: str) -> Json:
    """Return the link from a response to the status of its task; `task_id` is an expression."""
    link = {"operationId": f"statusTask-{model.id}", "parameters": {"taskId": task_id}}
    return {"links": {"status": link}}


def _balance() -> Json:
    return {
        "operationId": "currentBalance",
        "summary": "Get the balance of the API key (BIL-2).",
        "responses": {
            "200": _response("The balance in US dollars.", _success({"type": "number"})),
            **_errors(401, 403, 429),
        },
    }


_ERROR_DESCRIPTIONS = {
    400: "The request is invalid, or the balance is too low (SUB-14, SUB-17). By a rule: the submit"
    " itself has failed with a fail code (FAIL-6).",
    401: "The API key is missing or invalid (AUTH-2).",
    402: "The balance is too low (SUB-17).",
    403: "The API key lacks permission (AUTH-5).",
    404: "No task has this id (STA-2).",
    413: "The body is too large.",
    429: "The rate limit or the limit of concurrent tasks is reached (LIM-1, LIM-2).",
    503: "The server has reached its task limit (--max-tasks).",
}


def _errors(*statuses: int) -> Json:
    return {
        str(status): _response(_ERROR_DESCRIPTIONS[status], _ref("ErrorEnvelope"))
        | (
            {"headers": {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}}
            if status == 429
            else {}
        )
        for status in statuses
    }


def _require_callback_url(schema: Json) -> None:
    """Require `callback_url` if the request type is `callback`; the types cannot (SUB-4)."""
    del schema["properties"]["callback_url"]["default"]
    schema["if"] = {
        "properties": {"request_type": {"const": "callback"}},
        "required": ["request_type"],
    }
    schema["then"] = {
        "properties": {
            "callback_url": {
                "type": "string",
                "pattern": CALLBACK_URL_PATTERN,
                "maxLength": MAX_CALLBACK_URL_LENGTH,
            }
        },
        "required": ["callback_url"],
    }


def _success(data: Json) -> Json:
    return {
        "type": "object",
        "required": ["code", "message", "data"],
        "properties": {"code": {"const": 200}, "message": {"const": "success"}, "data": data},
    }


def _response(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _schemas(kind: type) -> Json:
    _, found = msgspec.json.schema_components([kind], ref_template=_REF + "{name}")
    return found


def _ref(name: str) -> Json:
    return {"$ref": _REF + name}
