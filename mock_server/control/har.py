"""The journal as HAR 1.2, the format that browsers and proxies exchange."""

from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mock_server.control.journal_view import entry_view
from mock_server.domain.journal import Entry
from mock_server.version import __version__

Json = dict[str, Any]


def har(entries: Iterable[tuple[int, Entry]]) -> Json:
    """Return one archive; times are those of the real clock, bodies those of the journal."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "apixo-testkit", "version": __version__},
            "entries": [_entry(entry_view(number, entry), entry) for number, entry in entries],
        }
    }


def _entry(view: Json, entry: Entry) -> Json:
    started = datetime.fromtimestamp(entry.real_ms / 1000, UTC)
    return {
        "startedDateTime": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": view["duration_ms"],
        "request": _request(view["request"]),
        "response": _response(view, entry),
        "cache": {},
        "timings": {"send": 0, "wait": view["duration_ms"], "receive": 0},
        "comment": _comment(view),
    }


def _request(request: Json) -> Json:
    headers = _headers(request["headers"])
    url = _url(request["path"], headers)
    shown: Json = {
        "method": request["method"],
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(request["body"].encode()),
    }
    if request["body"]:
        kind = _value(headers, "content-type") or "application/json"
        shown["postData"] = {"mimeType": kind, "params": [], "text": request["body"]}
    return shown


def _response(view: Json, entry: Entry) -> Json:
    answer = view["answer"] or {"headers": [], "body": "", "body_bytes": 0}
    headers = _headers(answer["headers"])
    status = entry.status
    kind = "image/png" if answer["body_bytes"] and not answer["body"] else "application/json"
    content: Json = {"size": answer["body_bytes"], "mimeType": kind}
    if answer["body"]:
        content["text"] = answer["body"]
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers,
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": answer["body_bytes"],
    }


def _comment(view: Json) -> str:
    told = [f"{view['operation']} {view['seq']}"]
    told += [f"{name} {view[name]}" for name in ("rule", "fault", "error") if view[name]]
    return "; ".join(told)


def _url(path: str, headers: list[Json]) -> str:
    if not path.startswith("/"):
        return path
    return f"http://{_value(headers, 'host') or 'localhost'}{path}"


def _headers(pairs: list[list[str]]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _value(headers: list[Json], name: str) -> str:
    return next((each["value"] for each in headers if each["name"].lower() == name), "")
