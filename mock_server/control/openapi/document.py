"""Build the OpenAPI 3.1 document of the control plane from its calls and their types."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from mock_server.control.call import JSON, Call
from mock_server.control.errors import Problem
from mock_server.control.openapi.links import links_of
from mock_server.control.openapi.rules import rule_schemas
from mock_server.control.query import parameters
from mock_server.control.references import PREFIX
from mock_server.domain.operation import Operation
from mock_server.domain.task import TaskState
from mock_server.version import __version__

Json = dict[str, Any]

_REJECTIONS = {
    400: "The request is invalid",
    401: "The API key or the admin token is missing or invalid",
    403: "The API key has no permission, admin calls are disabled, or a web page of another site"
    " made the request",
    404: "The task or the sandbox does not exist",
    405: "The path does not support this method",
    409: "The current state does not allow this",
    413: "The body is too large",
    503: "The server is starting or stopping, or its store cannot be used now",
}
_SECURITY: dict[str, list[Json]] = {
    "anyone": [],
    "key": [{"apiKey": []}],
    "admin": [{"adminToken": []}, {}],
}
_REJECTED_CALLERS = {"anyone": (), "key": (401, 403, 503), "admin": (401, 403, 503)}


def control_document(calls: Iterable[Call], fail_codes: Collection[str], base_url: str) -> Json:
    """Return the document. It has every call except the pages and files of the dashboard.

    `base_url` is where the reader of the document reaches the server.
    """
    described = [call for call in calls if call.summary]
    schemas, components = _schemas(_types(described))
    components |= rule_schemas(fail_codes)
    paths: Json = {}
    for call in described:
        item = paths.setdefault(call.path, {})
        item[call.method.lower()] = _operation(call, schemas)
        item |= _path_parameters(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control plane of the APIXO mock",
            "version": __version__,
            "description": "Each API key controls its own sandbox. These calls do not count toward"
            " the rate limit. HEAD is supported for every GET.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                str(status): _answer(about, schemas[Problem])
                for status, about in _REJECTIONS.items()
            },
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; it selects the sandbox",
                },
                "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The value of `--admin-token`; on loopback, optional",
                },
            },
        },
    }


def _types(calls: Iterable[Call]) -> list[Any]:
    """Return every type that a call uses, and those that the schemas of rules refer to."""
    named = [
        kind
        for call in calls
        for kind in (
            *call.answer_types, call.body_type, call.timeout_answer, *call.events.values()
        )
        if kind is not None
    ]  # fmt: skip
    return list(dict.fromkeys([Problem, Operation, TaskState, *named]))


def _schemas(kinds: list[Any]) -> tuple[dict[Any, Json], Json]:
    """Return the schema of each type, and the components that the schemas refer to."""
    found, components = msgspec.json.schema_components(kinds, ref_template=PREFIX + "{name}")
    return dict(zip(kinds, found, strict=True)), components


def _operation(call: Call, schemas: dict[Any, Json]) -> Json:
    words = re.findall("[A-Za-z]", call.path.removeprefix("/_mock").title())
    name = call.method.lower() + "".join(words)
    operation: Json = {
        "operationId": name,
        "summary": call.summary,
        "security": _SECURITY[call.caller],
        "responses": _success(call, schemas) | _rejections(call, schemas),
    }
    if links := links_of(name):
        operation["responses"]["200"]["links"] = links
    if call.query_type is not None:
        operation["parameters"] = parameters(call.query_type)
    if call.body_type is not None:
        content = {JSON: {"schema": schemas[call.body_type]}}
        operation["requestBody"] = {"required": call.needs_body, "content": content}
    return operation


def _path_parameters(call: Call) -> Json:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in call.path_parameters
    ]
    return {"parameters": named} if named else {}


def _success(call: Call, schemas: dict[Any, Json]) -> Json:
    if not call.answer_types:
        return {"204": {"description": "Success, without content"}}
    schema = _any_of([schemas[kind] for kind in call.answer_types])
    answer = _answer("Success", schema, call.media_type)
    if call.events:
        events = {name: schemas[kind] for name, kind in call.events.items()}
        answer["content"][call.media_type]["x-events"] = events
    answer["content"] |= {each: {"schema": {"type": "string"}} for each in call.other_media_types}
    return {"200": answer}


def _rejections(call: Call, schemas: dict[Any, Json]) -> Json:
    with_body = () if call.body_type is None else (413,)
    statuses = {400, 405, *_REJECTED_CALLERS[call.caller], *with_body, *call.rejects}
    rejected: Json = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }
    if call.timeout_answer is not None:
        rejected["408"] = _answer("The wait timed out", schemas[call.timeout_answer])
    return rejected


def _answer(about: str, schema: Json, kind: str = JSON) -> Json:
    return {"description": about, "content": {kind: {"schema": schema}}}


def _any_of(schemas: Sequence[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
