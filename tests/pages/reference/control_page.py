"""The reference page of the control API, from the document that the server publishes."""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import httpx

import mock_server
from tests.pages.reference.markdown import GENERATED, table

Json = dict[str, Any]

_INTRODUCTION = f"""\
# Control API

Read and change the sandbox of an API key over HTTP: time, tasks, faults, journal. The dashboard, the pytest plugin and the audit use
the same calls.

- Send the API key as in a request to the provider: `Authorization: Bearer my-key`. It selects the sandbox.
- Bodies and responses are JSON. Errors have the envelope of the provider; `data.error` says where, what is wrong and what to do.
- A member that a call does not know is rejected with 400.
- Names that end with `_ms` are Unix milliseconds of the sandbox's clock. Durations are `2`, `2.5` (seconds), `"500ms"`, `"2s"`, `"3m"` or `"15d"`.
- These calls do not count toward the rate limit. `HEAD` works for every `GET`.
- Percent-encode a task id in a path.

`GET /_mock/openapi.json` has the types of all responses as OpenAPI 3.1, `GET /openapi.json` describes the provider's API. Neither needs a key.

{GENERATED}"""  # noqa: E501  # prose
_GROUPS = {
    "sandbox": "Sandbox",
    "clock": "Clock",
    "tasks": "Tasks",
    "callbacks": "Callbacks",
    "rules": "Rules",
    "next": "The next request",
    "journal": "Journal",
    "audit": "Audit",
    "events": "Events",
    "sandboxes": "All sandboxes",
}
_SERVER = "Server"
_DURATION = r"^\s*(\d"  # How the pattern of a duration begins.
_SNAPSHOT = """
`GET`, `PUT` and `--restore` use the same document. Do not edit it: its members may change.
"""
_CALLERS = {"apiKey": "API key", "adminToken": "admin"}
_CALLERS_NOTE = """
Calls for *admin* are open on a loopback address. Elsewhere they need `--admin-token TOKEN`, sent as `Authorization: Bearer TOKEN`.
"""  # noqa: E501  # prose


def published_document() -> Json:
    with mock_server.running() as server:
        document: Json = httpx.get(f"{server.base_url}/_mock/openapi.json").json()
    return document


def control_page(document: Json) -> str:
    """Return the page as Markdown."""
    return "".join([_INTRODUCTION, *_groups(document)])


def _groups(document: Json) -> Iterator[str]:
    calls = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    titles = [*_GROUPS.values(), _SERVER]
    calls.sort(key=lambda call: titles.index(_title(call[0])))
    for title, group in groupby(calls, key=lambda call: _title(call[0])):
        yield f"\n## {title}\n"
        if title in {_GROUPS["sandboxes"], _SERVER}:
            yield _CALLERS_NOTE if title != _SERVER else ""
        for path, method, operation in group:
            yield from _call(document, path, method, operation)


def _title(path: str) -> str:
    return _GROUPS.get(path.split("/")[2], _SERVER)


def _call(document: Json, path: str, method: str, operation: Json) -> Iterator[str]:
    yield f"\n### `{method.upper()} {path}`\n\n{operation['summary']}.\n"
    callers = [_CALLERS[each] for option in operation["security"] for each in option]
    facts = [f"Caller: {' or '.join(callers) or 'anyone'}"]
    statuses = sorted(status for status in operation["responses"] if status != "405")
    facts.append(f"status: {', '.join(statuses)}")
    yield f"\n{'; '.join(facts)}.\n"
    if parameters := operation.get("parameters"):
        described = [
            (f"`{each['name']}`", *_described(document, each["schema"])) for each in parameters
        ]
        yield "\n" + table(("query parameter", "value", "default", "meaning"), described)
    body = operation.get("requestBody")
    if path.endswith("/snapshot"):
        yield _SNAPSHOT
        return
    if body and (members := _members(document, body["content"]["application/json"]["schema"])):
        yield "\n" + table(("member of the body", "value", "default", "meaning"), members)
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json")
    if answer and (members := _members(document, answer["schema"])):
        rows = [(name, value, about) for name, value, _, about in members]
        yield "\n" + table(("member of the response", "value", "meaning"), rows)


def _members(document: Json, schema: Json) -> list[tuple[str, ...]]:
    resolved = _resolved(document, schema)
    required = set(resolved.get("required", ()))
    return [
        (
            f"`{name}`",
            *_described(document, member | ({"default": ...} if name in required else {})),
        )
        for name, member in resolved.get("properties", {}).items()
    ]


def _described(document: Json, schema: Json) -> tuple[str, str, str]:
    """Return value, default and meaning of a parameter or member."""
    resolved = _resolved(document, schema)
    default = schema.get("default", resolved.get("default"))
    shown = "required" if default is ... else "" if default is None else f"`{json.dumps(default)}`"
    about = schema.get("description") or resolved.get("description", "")
    return _value(document, schema), shown, about.split(". ")[0]


def _value(document: Json, schema: Json) -> str:
    """Return what the value looks like, in a few words."""
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved = _resolved(document, schema)
    if name == "FailCode":
        return "a [fail code](directives.md#fail-codes)"
    if choices := resolved.get("enum"):
        return ", ".join(f"`{json.dumps(each)}`" for each in choices)
    if str(resolved.get("pattern", "")).startswith(_DURATION):
        return "duration"
    if options := resolved.get("anyOf") or resolved.get("oneOf"):
        kinds = dict.fromkeys(_value(document, each) for each in options)
        return " or ".join(kinds)
    kind = resolved.get("type")
    if kind == "array":
        return f"list of {_value(document, resolved.get('items', {}))}"
    if kind == "object":
        return f"object `{name}`" if name else "object"
    return {"integer": "whole number", "null": "`null`"}.get(str(kind), str(kind or "any JSON"))


def _resolved(document: Json, schema: Json) -> Json:
    while reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return schema
