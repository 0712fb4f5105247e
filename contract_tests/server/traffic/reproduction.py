"""Writes the requests of a scenario as curl commands, and as a pytest test."""

import json
from collections.abc import Iterator, Sequence
from pprint import pformat
from typing import Final

import msgspec

from contract_tests.contract.verdicts import Reproduction
from contract_tests.server.events import Deliveries, Event, HttpExchange, Pause, Request
from contract_tests.server.reports.shown_events import curl_of
from contract_tests.server.traffic import templates
from contract_tests.server.traffic.scenarios import Scenario
from contract_tests.server.world import RECEIVER

_READS: Final = ("/_mock/callbacks", "/_mock/clock", "/_mock/tasks/")
_ID: Final = """sed -n 's/.*"taskId": *"\\([^"]*\\)".*/\\1/p'"""
_URL: Final = """sed -n 's/.*resultUrls[^[]*\\[[^h]*\\(http[^"\\\\]*\\).*/\\1/p'"""
_DOCSTRING: Final = 150  # characters
_LISTENER: Final = "http://127.0.0.1:9900"


def reproduction_of(
    events: Sequence[Event],
    *,
    clause: str,
    expected: str,
    seen: str,
    python: str | None,
    scenario: Scenario,
    base_url: str,
) -> Reproduction:
    """Return the requests of these events as curl commands, and as a test of the last one.

    `python` is an expression that is true if the clause holds. Without it, the checkers of the kit
    have found the violation, and the test plays the scenario for them.
    """
    told = [event for event in events if not _is_read_only(event)]
    curl = [
        *_curl_lines(told, base_url),
        f"# {clause}: expected {_one_line(expected)}",
        f"# seen: {_one_line(seen)}",
    ]
    if python is None:
        test = templates.SCENARIO.format(
            base_url=base_url,
            scenario=pformat(msgspec.to_builtins(scenario), sort_dicts=False, width=100),
            name=_name(clause),
            clause=clause,
            expected=_docstring(expected),
        )
        return Reproduction(curl="\n".join(curl), pytest=test)
    test = "\n".join(_test_lines(told, clause, expected, python)) + "\n"
    needed = templates.HEAD + test
    imports = [line for text, line in templates.IMPORTS.items() if text in needed]
    head = templates.HEAD.format(base_url=base_url, imports="\n".join(imports))
    return Reproduction(curl="\n".join(curl), pytest=f"{head}{test}")


class _Names:
    """The names that the forms give to task ids and result URLs, in the order of their answers."""

    def __init__(self) -> None:
        self.tasks: dict[str, str] = {}
        self.urls: dict[str, tuple[str, int]] = {}

    def learn(self, event: HttpExchange) -> str | None:
        """Return the new name of a task that this exchange created, if it did."""
        envelope = event.response.json()
        data = envelope.get("data") if isinstance(envelope, dict) else None
        if not isinstance(data, dict):
            return None
        task_id = data.get("taskId")
        for place, url in enumerate(_urls_of(data)):
            self.urls.setdefault(url, (self.tasks.get(str(task_id), "task_1"), place))
        is_new = isinstance(task_id, str) and task_id and task_id not in self.tasks
        if not is_new or event.request.method != "POST":
            return None
        self.tasks[str(task_id)] = name = f"task_{len(self.tasks) + 1}"
        return name


def _curl_lines(events: Sequence[Event], base_url: str) -> Iterator[str]:
    names = _Names()
    if any(isinstance(each, HttpExchange) and each.request.key == "other" for each in events):
        yield "# OTHER_API_KEY is a second API key."
    if any(isinstance(each, HttpExchange) and RECEIVER.encode() in each.request.body
           for each in events):  # fmt: skip
        yield f"# A receiver of callbacks listens at {_LISTENER}."
    for event in events:
        if isinstance(event, Pause):
            yield f"sleep {event.seconds:g}"
        elif isinstance(event, Deliveries):
            yield f"# The receiver got {len(event.deliveries)} callbacks at {event.name}."
        elif isinstance(event, HttpExchange):
            line = _curl_line(event.request, names, base_url)
            if event.request.path in names.urls:
                yield line
                continue
            # The answer to the last request shows the violation, so it is printed.
            new = None if event is events[-1] else names.learn(event)
            yield f"{new.upper()}=$({line.replace('curl -i', 'curl -s')} | {_ID})" if new else line


def _curl_line(request: Request, names: _Names, base_url: str) -> str:
    if request.path in names.urls:
        task, place = names.urls[request.path]
        return f'curl -i "$RESULT_URL"  # result {place + 1} of ${task.upper()}'
    body = request.body.replace(RECEIVER.encode(), _LISTENER.encode())
    line = curl_of(msgspec.structs.replace(request, body=body), base_url)
    if request.key.startswith("other"):
        line = line.replace("$APIXO_API_KEY", "$OTHER_API_KEY")
    for task_id, name in names.tasks.items():
        line = line.replace(f"'{_around(line, task_id)}'", f'"{_around(line, task_id)}"')
        line = line.replace(task_id, f"${name.upper()}")
    return line


def _around(line: str, task_id: str) -> str:
    """Return the quoted word of a command that contains a task id, or the id itself."""
    return next((word for word in line.split("'") if task_id in word), task_id)


def _test_lines(events: Sequence[Event], clause: str, expected: str, python: str) -> Iterator[str]:
    names = _Names()
    exchanges = [each for each in events if isinstance(each, HttpExchange)]
    if any(RECEIVER.encode() in each.request.body for each in exchanges):
        yield templates.RECEIVER.format(reactions=_reactions(events))
    yield from ("", "", f"def test_{_name(clause)}():")
    yield f'    """Expected: {_docstring(expected)}"""'
    yield "    final = created = None"
    yield "    with httpx.Client(base_url=BASE_URL, timeout=60) as http:"
    for event in events:
        for line in _python_of(event, names, python):
            yield f"        {line}"
    if "data" in python:
        yield '        data = answer.json()["data"]'
    yield f"        assert {python}"


def _python_of(event: Event, names: _Names, python: str) -> Iterator[str]:
    if isinstance(event, Pause):
        yield f"time.sleep({event.seconds:g})"
    elif isinstance(event, Deliveries):
        yield f"bodies = Receiver.bodies({event.name!r}, at_least={len(event.deliveries)})"
    elif isinstance(event, HttpExchange):
        request = event.request
        yield f"answer = {_call(request, names)}"
        new = names.learn(event)
        if new:
            yield f'{new} = answer.json()["data"]["taskId"]'
        known = dict(request.query).get("taskId")
        if known in names.tasks and "task_id" in python:
            yield f"task_id = {names.tasks[known]}"
        if b'"state"' in event.response.body and "/statusTask/" in request.path:
            is_final = b'"completeTime"' in event.response.body
            if is_final and "final" in python:
                yield "final = answer.content if final is None else final"
            if "created" in python:
                yield 'created = created or answer.json()["data"]["createTime"]'
            if is_final and b"resultUrls" in event.response.body:
                yield 'urls = json.loads(answer.json()["data"]["resultJson"])["resultUrls"]'


def _call(request: Request, names: _Names) -> str:
    if request.path in names.urls:
        return f"http.get(urls[{names.urls[request.path][1]}])"
    path = repr(request.path)
    for task_id, name in names.tasks.items():
        if task_id in request.path:
            path = f'f"{request.path.replace(task_id, "{" + name + "}")}"'
    words = [path]
    name, _, _ = request.key.partition(" as ")
    if name in {"own", "other"}:
        words.append(f"headers={name.upper()}")
    if request.query:
        pairs = ", ".join(
            f"{key!r}: {names.tasks.get(value, repr(value))}" for key, value in request.query
        )
        words.append(f"params={{{pairs}}}")
    if request.body:
        words.append(f"json={_json_literal(request.body)}")
    return f"http.{request.method.lower()}({', '.join(words)})"


def _json_literal(body: bytes) -> str:
    try:
        text = repr(json.loads(body))
    except ValueError:
        return repr(body)
    return text.replace(f"'{RECEIVER}", "RECEIVER_URL + '")


def _reactions(events: Sequence[Event]) -> dict[str, list[int]]:
    """Return how the receiver answered the callbacks at each name."""
    return {
        event.name: [delivery.answered for delivery in event.deliveries]
        for event in events
        if isinstance(event, Deliveries)
    }


def _urls_of(data: dict[str, object]) -> list[str]:
    try:
        urls = json.loads(str(data.get("resultJson")))["resultUrls"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _is_read_only(event: Event) -> bool:
    """Return whether an event is a control call that changes nothing."""
    if not isinstance(event, HttpExchange):
        return False
    return event.request.method == "GET" and event.request.path.startswith(_READS)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _name(clause: str) -> str:
    return clause.lower().replace("-", "_")


def _docstring(text: str) -> str:
    line = _one_line(text)
    line = line if len(line) <= _DOCSTRING else f"{line[:_DOCSTRING]}…"
    return line.replace("\\", "\\\\").replace('"""', "'''").rstrip('"')
