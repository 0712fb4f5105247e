"""Compares exchanges with the OpenAPI document of the control plane."""

import json
import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from tests.mock_server.e2e.api import Json

PATH = "/_mock/openapi.json"


def problems(document: Json, schema: Json, value: object) -> list[str]:
    """Return the differences between a value and a schema of the document."""
    rooted = schema | {"components": document["components"]}
    found = Draft202012Validator(rooted).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def closed(part: Any) -> Any:
    """Return the document with every object closed: unnamed members are invalid."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    inner = {name: closed(each) for name, each in part.items()}
    if part.get("type") == "object" and "properties" in part:
        return {"additionalProperties": False} | inner
    return inner


class DocumentChecker:
    """Compares every answer of the control plane with the document.

    `seen` collects path, method and status of all answers.
    """

    def __init__(self, document: Json) -> None:
        self.document: Json = closed(document)
        self.seen: set[tuple[str, str, int]] = set()
        self._paths = {
            str(path): re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in document["paths"]
        }

    def check(self, answer: httpx.Response) -> None:
        """Check one answer; use it as an event hook of a client."""
        path, method = self._path_of(answer), answer.request.method.lower()
        if path is None:
            return
        item = self.document["paths"][path]
        operation = item.get(method)
        if operation is None:  # Every operation of a path describes 405.
            assert answer.status_code == 405, answer
            operation = next(each for name, each in item.items() if name != "parameters")
        described = self.described(operation, answer.status_code)
        self.seen.add((path, method, answer.status_code))
        kind, *_ = answer.headers.get("content-type", "").split(";")
        assert kind in described.get("content", {"": {}}), answer
        if kind != "application/json":
            return
        value = json.loads(answer.read())
        wrong = problems(self.document, described["content"][kind]["schema"], value)
        assert not wrong, f"{method} {path} {answer.status_code}: {wrong}\n{value}"

    def described(self, operation: Json, status: int) -> Json:
        """Return the description of an answer with this status."""
        described: Json = operation["responses"][str(status)]
        reference = described.get("$ref")
        if reference is not None:
            described = self.document["components"]["responses"][reference.rpartition("/")[2]]
        return described

    def _path_of(self, answer: httpx.Response) -> str | None:
        asked = answer.request.url.path
        if not asked.startswith("/_mock"):
            return None
        return next(path for path, form in self._paths.items() if form.fullmatch(asked))
