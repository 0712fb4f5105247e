"""One OpenAPI document of both planes, in which tests follow a task from submit to picture."""

import json
from typing import Any

from tests.mock_server.e2e.api import SUBMIT, Json

_SCHEMAS = "#/components/schemas/"
_FROM_RESULT = {
    name: rf"$response.body#/data/resultJson#regex:/results/{pattern}"
    for name, pattern in (("task", "([^/]+)/"), ("picture", '[^/]+/([^/"]+)'))
}
_FROM_SUMMARY = {
    name: each.replace("/data/resultJson", "/result_urls/0") for name, each in _FROM_RESULT.items()
}
_PICTURE = "/results/{task}/{picture}"
_CHANGES = ("patchSandbox", "deleteSandbox", "putClock", "postClockAdvance")
_RULE_CHANGES = ("putRules", "postRules", "deleteRules", "postNext", "deleteNext")
_VIEWS = (
    "getSandbox", "getTasks", "getRules", "getNext", "getJournal", "postJournalCount", "getAudit",
    "getMetrics",
)  # fmt: skip


def merged(provider: Json, control: Json) -> Json:
    """Return a document with the paths of both documents, pictures, and links between them.

    Its submits have no callbacks, because nobody receives them. It changes neither rules nor
    profiles, because they may inject faults that contradict the document.
    """
    control = _renamed(control, {*provider["components"]["schemas"]}, "Control")
    for item in provider["paths"].values():
        for operation in item.values():
            operation["security"] = provider["security"]
    body = provider["components"]["schemas"]["SubmitRequest"]["properties"]
    body["request_type"] = {"const": "async"}
    del control["components"]["schemas"]["SandboxChange"]["properties"]["profile"]
    document = {
        **control,
        "paths": {**provider["paths"], **control["paths"], _PICTURE: {"get": _picture()}},
        "components": {
            **control["components"],
            "schemas": {**provider["components"]["schemas"], **control["components"]["schemas"]},
        },
    }
    operations = _operations(document)
    submit, status = provider["paths"][SUBMIT]["post"], operations["statusTask-gpt-image-1"]
    of_submit = {"task_id": "$response.body#/data/taskId"}
    for followed in ("getTasksTaskId", "postTasksTaskIdFinish", "getTasksTaskIdWait"):
        _link(submit, followed, of_submit)
    for change in _CHANGES:
        _link(submit, change, {})
        for followed in (submit["operationId"], "currentBalance", *_VIEWS):
            _link(operations[change], followed, {})
    _link(status, "picture", _FROM_RESULT)
    _link(operations["getTasksTaskId"], "picture", _FROM_SUMMARY)
    return document


def linked(control: Json) -> Json:
    """Return the document of the control plane with links from all changes to all views."""
    operations = _operations(control)
    for change in (*_CHANGES, *_RULE_CHANGES):
        for followed in (*_CHANGES, *_RULE_CHANGES, *_VIEWS):
            if followed in operations and followed != change:
                _link(operations[change], followed, {})
    return control


def _operations(document: Json) -> dict[str, Json]:
    return {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for name, operation in item.items()
        if name != "parameters"
    }


def _picture() -> Json:
    named = ("task", "picture")
    failed = {"content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}ErrorEnvelope"}}}}
    return {
        "operationId": "picture",
        "security": [],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in named
        ],
        "responses": {
            "200": {"description": "The picture.", "content": {"image/png": {}}},
            "404": {"description": "There is no such picture.", **failed},
            "410": {"description": "The picture has expired.", **failed},
        },
    }


def _link(operation: Json, followed: str, parameters: dict[str, str]) -> None:
    response = operation["responses"].get("200") or operation["responses"]["204"]
    links = response.setdefault("links", {})
    links[followed] = {"operationId": followed, "parameters": parameters}


def _renamed(document: Json, names: set[str], prefix: str) -> Json:
    """Return a document in which the schemas with these names get a prefix."""
    text = json.dumps(document)
    schemas: dict[str, Any] = {}
    for name in names & {*document["components"]["schemas"]}:
        text = text.replace(f'"{_SCHEMAS}{name}"', f'"{_SCHEMAS}{prefix}{name}"')
        schemas[name] = f"{prefix}{name}"
    found: Json = json.loads(text)
    components = found["components"]
    components["schemas"] = {
        schemas.get(name, name): schema for name, schema in components["schemas"].items()
    }
    return found
