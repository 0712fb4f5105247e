"""The two stubs in the format of each mock server: a submit gets a task id, a status "processing".

Each function writes files into a folder and returns the arguments of the command that reads them.
They are the commands of the peers' documentation, with logs and journals off where that is
documented, because those would fill the memory or the disk under load.
"""

import json
from pathlib import Path

from benchmarks.processes import free_port
from benchmarks.requests import STATUS_PATH, SUBMIT_PATH

TASK_ID = "task_5867b839e04cb5f470340ccc50a257d7"
_HEADERS = {"Content-Type": "application/json"}


def _envelope(**data: object) -> dict[str, object]:
    return {"code": 200, "message": "success", "data": data}


_SUBMITTED = _envelope(taskId=TASK_ID)
_STATUS = _envelope(taskId=TASK_ID, state="processing", createTime=1795431026878)
_ANY_JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
STUBS = (("POST", SUBMIT_PATH, _SUBMITTED), ("GET", STATUS_PATH, _STATUS))


def wiremock(folder: Path, port: int) -> list[str]:
    mappings = [
        {
            "request": {"method": method, "urlPath": path},
            "response": {"status": 200, "headers": _HEADERS, "body": _compact(body)},
        }
        for method, path, body in STUBS
    ]
    (folder / "mappings").mkdir()
    _write(folder / "mappings" / "stubs.json", {"mappings": mappings})
    return [
        *("--port", str(port), "--root-dir", str(folder)),
        *("--no-request-journal", "--disable-request-logging", "--disable-banner"),
    ]


def prism(folder: Path, port: int) -> list[str]:
    document = folder / "openapi.json"
    _write(
        document,
        {
            "openapi": "3.0.3",
            "info": {"title": "Two stubs", "version": "1"},
            "paths": {
                path: {
                    method.lower(): {
                        **({"requestBody": _ANY_JSON} if method == "POST" else {}),
                        "responses": {
                            "200": {
                                "description": "OK",
                                "content": {"application/json": {"example": body}},
                            }
                        },
                    }
                }
                for method, path, body in STUBS
            },
        },
    )
    return ["mock", str(document), "--port", str(port), "--verboseLevel", "silent"]


def mockoon(folder: Path, port: int) -> list[str]:
    data = folder / "mockoon.json"
    routes = [
        {
            "uuid": f"route-{method}",
            "type": "http",
            "method": method.lower(),
            "endpoint": path.removeprefix("/"),
            "responses": [
                {
                    "uuid": f"response-{method}",
                    "body": _compact(body),
                    "bodyType": "INLINE",
                    "statusCode": 200,
                    "headers": [{"key": name, "value": text} for name, text in _HEADERS.items()],
                    "default": True,
                }
            ],
        }
        for method, path, body in STUBS
    ]
    _write(
        data,
        {
            "uuid": "environment",
            "name": "Two stubs",
            "port": port,
            "routes": routes,
            "rootChildren": [{"type": "route", "uuid": route["uuid"]} for route in routes],
        },
    )
    return ["start", "--data", str(data), "--repair", "--port", str(port), "--disable-log-to-file"]


def mountebank(folder: Path, port: int) -> list[str]:
    imposters = folder / "imposters.json"
    _write(
        imposters,
        {
            "imposters": [
                {
                    "port": port,
                    "protocol": "http",
                    "stubs": [
                        {
                            "predicates": [{"equals": {"method": method, "path": path}}],
                            "responses": [
                                {
                                    "is": {
                                        "statusCode": 200,
                                        "headers": _HEADERS,
                                        "body": _compact(body),
                                    }
                                }
                            ],
                        }
                        for method, path, body in STUBS
                    ],
                }
            ]
        },
    )
    return [
        *("start", "--configfile", str(imposters), "--port", str(free_port())),
        *("--loglevel", "error", "--nologfile", "--pidfile", str(folder / "mb.pid")),
    ]


def _compact(body: object) -> str:
    return json.dumps(body, separators=(",", ":"))


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2), "utf-8")
