"""Puts the OpenAPI 3.1 document of control together from its calls and their types."""

import re
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from mock_server.control.openapi.answers import Problem
from mock_server.control.openapi.calls import CALLS, JSON, Call
from mock_server.control.openapi.references import PREFIX
from mock_server.control.openapi.rules import rule_schemas
from mock_server.version import __version__

Json = dict[str, Any]

_REFUSALS = {
    400: "The request is invalid",
    401: "The API key, or the admin token, is missing or invalid",
    403: "Not for this caller: the server is bound elsewhere, or a page comes from elsewhere",
    404: "There is no such task or sandbox",
    405: "Another method than those described",
    409: "It cannot be done as things are",
    413: "The body is too large",
    503: "The server is starting or stopping",
}
_SECURITY: dict[str, list[Json]] = {
    "anyone": [],
    "key": [{"apiKey": []}],
    "admin": [{"adminToken": []}, {}],
}
_REFUSED_CALLERS = {"anyone": (), "key": (401,), "admin": (401, 403)}


def control_document(fail_codes: Collection[str], profiles: Collection[str]) -> Json:
    """Describe every JSON call under `/_mock`, its metrics and its events."""
    schemas, components = _schemas(_types())
    components |= rule_schemas(fail_codes)
    components["Profile"] = {"enum": list(profiles)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control of the APIXO mock",
            "version": __version__,
            "description": "The sandbox is that of the key. Nothing here counts to a limit."
            " Where GET goes, HEAD goes, too.",
        },
        "paths": {
            path: {method: _operation(method, path, call, schemas) for method, call in item.items()}
            | _path_parameters(path)
            for path, item in CALLS.items()
        },
        "components": {
            "schemas": components,
            "responses": {
                str(status): _answer(about, schemas[Problem]) for status, about in _REFUSALS.items()
            },
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The API key, whose sandbox is meant",
                },
                "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What `--admin-token` says; without it, open on loopback only",
                },
            },
        },
    }


def _types() -> list[Any]:
    """Return every type that a call names, each once."""
    calls = [call for item in CALLS.values() for call in item.values()]
    named = [
        kind
        for call in calls
        for kind in (*call.answers, call.body, call.too_late, *call.events.values())
        if kind is not None
    ]
    return list(dict.fromkeys([Problem, *named]))


def _schemas(kinds: list[Any]) -> tuple[dict[Any, Json], Json]:
    """Return the schema of each type, and the components that they refer to."""
    found, components = msgspec.json.schema_components(kinds, ref_template=PREFIX + "{name}")
    return dict(zip(kinds, found, strict=True)), components


def _operation(method: str, path: str, call: Call, schemas: dict[Any, Json]) -> Json:
    operation: Json = {
        "operationId": method
        + "".join(re.findall("[A-Za-z]", path.removeprefix("/_mock").title())),
        "summary": call.about,
        "security": _SECURITY[call.caller],
        "responses": _success(call, schemas) | _refusals(call, schemas),
    }
    if call.query:
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": schema} for name, schema in call.query.items()
        ]
    if call.body is not None:
        content = {JSON: {"schema": schemas[call.body]}}
        operation["requestBody"] = {"required": call.needs_body, "content": content}
    return operation


def _path_parameters(path: str) -> Json:
    names = re.findall(r"{(\w+)}", path)
    if not names:
        return {}
    schema = {"type": "string"}
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema} for name in names
        ]
    }


def _success(call: Call, schemas: dict[Any, Json]) -> Json:
    if not call.answers:
        return {"204": {"description": "Done"}}
    answer = _answer("As asked", _any_of(schemas[kind] for kind in call.answers), call.kind)
    if call.events:
        events = {name: schemas[kind] for name, kind in call.events.items()}
        answer["content"][call.kind]["x-events"] = events
    answer["content"] |= {kind: {"schema": {"type": "string"}} for kind in call.other_kinds}
    return {"200": answer}


def _refusals(call: Call, schemas: dict[Any, Json]) -> Json:
    with_body = () if call.body is None else (413,)
    statuses = {400, 405, *_REFUSED_CALLERS[call.caller], *with_body, *call.refusals}
    refused: Json = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }
    if call.too_late is not None:
        refused["408"] = _answer("It did not hold in time", schemas[call.too_late])
    return refused


def _answer(about: str, schema: Json, kind: str = JSON) -> Json:
    return {"description": about, "content": {kind: {"schema": schema}}}


def _any_of(schemas: Iterable[Json]) -> Json:
    found = list(schemas)
    return found[0] if len(found) == 1 else {"anyOf": found}
