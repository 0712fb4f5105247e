"""What makes a server work hard: calls with long answers, bursts, and hostile clients."""

import json
from collections.abc import Callable, Iterator, Sequence

import msgspec

from benchmarks.mock import Mock
from benchmarks.requests import MODEL, SUBMIT_PATH
from benchmarks.single import body_of
from benchmarks.stalls.hostile_servers import chunked_image, flood_of_headers
from benchmarks.stalls.sockets import open_requests, pipelined, request
from benchmarks.wrk import Request

Steps = Iterator[None]

_MANY_TASKS = 10_000  # As many entries as a journal keeps.
_MANY_RULES = 1_000
_MANY_CLIENTS = 100
_NOBODY = "http://127.0.0.1:9/"
_QUICKLY = {"apply": {"outcome": {"pending": "1s", "processing": "1s"}}}
_PATTERN_THAT_NEVER_ENDS = "^(a+)+$"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Work whose longest stall is measured: what `steps` does after it has yielded.

    Each case has a key of its own. The first case of a server also does what is done only once.
    """

    name: str
    title: str
    steps: Callable[[Mock], Steps]


def _first_callback(mock: Mock) -> Steps:
    mock.control("GET", "clock")  # The first control call imports the control plane.
    mock.submit(1, callback_url=_NOBODY)
    yield
    mock.control("POST", "clock/advance", {"seconds": "30d"})


def _ending(mock: Mock) -> Steps:
    mock.submit(_MANY_TASKS)
    yield
    mock.control("POST", "clock/advance", {"seconds": "30d"})
    mock.control("GET", "sandbox")


def _callbacks_at_once(mock: Mock) -> Steps:
    _set_rules(mock, [_QUICKLY])
    mock.submit(_MANY_TASKS // 10, callback_url=_NOBODY)
    yield
    mock.control("POST", "clock/advance", {"seconds": "2s"})


def _answer_of(path: str) -> Callable[[Mock], Steps]:
    """Return the case that gets a long answer about a full sandbox."""

    def steps(mock: Mock) -> Steps:
        full = _full(mock)
        yield
        _get(full, path)

    return steps


def _restored(mock: Mock) -> Steps:
    snapshot = _get(_full(mock), "sandbox/snapshot")
    yield
    pipelined(mock, [request(mock, "PUT", "/_mock/sandbox/snapshot", snapshot)])


def _removed(mock: Mock) -> Steps:
    mock.submit(_MANY_TASKS, _NOBODY)
    yield
    mock.reset()


def _rules(mock: Mock) -> Steps:
    rules = [
        {
            "match": {
                "operation": ["submit"],
                "prompt_regex": f"^(a|b) fox {number}{'.' * 400}$",
                "header": {f"X-{number}": "a" * 200},
                "nth": "2..4",
            },
            "apply": {"refuse": {"status": 429, "retry_after": 7, "message": "a" * 100}},
        }
        for number in range(_MANY_RULES)
    ]
    yield
    _set_rules(mock, rules)
    _get(mock, "rules")


def _slow_pattern(mock: Mock) -> Steps:
    rule = {
        "match": {"prompt_regex": _PATTERN_THAT_NEVER_ENDS},
        "apply": {"refuse": {"status": 429}},
    }
    _set_rules(mock, [rule])
    yield
    pipelined(mock, [_submit(mock, "a" * 5_000 + "!")] * 10)


def _combining_marks(mock: Mock) -> Steps:
    yield
    pipelined(mock, [_submit(mock, "\u0316\u0301" * 5_000)] * 10)


def _long_key(mock: Mock) -> Steps:
    mock = msgspec.structs.replace(mock, key="b" + "a" * 511)
    pipelined(mock, [_submit(mock, "%61" * 3_000)] * 100)
    yield
    _get(mock, "journal")
    mock.reset()


def _flood(mock: Mock) -> Steps:
    with flood_of_headers() as url:
        _set_rules(mock, [_QUICKLY])
        mock.submit(4, callback_url=url)
        yield
        mock.control("POST", "clock/advance", {"seconds": "30d"})


def _image(mock: Mock) -> Steps:
    with chunked_image() as url:
        yield
        pipelined(mock, [_submit(mock, "a fox", image_urls=[url])] * 4)


def _small_chunks(mock: Mock) -> Steps:
    head = f"POST {SUBMIT_PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {mock.key}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = json.dumps({"input": {"mode": MODEL, "prompt": "a fox"}}).encode().ljust(200_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    yield
    pipelined(mock, [head.encode() + chunks + b"0\r\n\r\n"])


def _waits(mock: Mock) -> Steps:
    mock = _full(mock)
    wait = request(mock, "GET", "/_mock/journal/wait?count=100000&timeout=300")
    with open_requests(mock, [wait] * _MANY_CLIENTS):
        yield
        pipelined(mock, [_submit(mock, "a fox")] * 20)


def _streams(mock: Mock) -> Steps:
    stream = request(mock, "GET", "/_mock/events")
    with open_requests(mock, [stream] * _MANY_CLIENTS):
        yield
        pipelined(mock, [_submit(mock, "a fox")] * 20)


def _full(mock: Mock) -> Mock:
    """Return the sandbox of another key: 10,000 tasks, each with a callback, and a full journal."""
    full = msgspec.structs.replace(mock, key="stalls-of-a-full-sandbox")
    if not full.control("GET", "sandbox")["counters"]["live_tasks"]:
        full.submit(_MANY_TASKS, _NOBODY)
    return full


def _set_rules(mock: Mock, rules: Sequence[object]) -> None:
    mock.control("PUT", "rules", {"rules": rules})


def _get(mock: Mock, call: str) -> bytes:
    headers = {"Authorization": f"Bearer {mock.key}"}
    return body_of(mock.server.port, Request(paths=[f"/_mock/{call}"], headers=headers))


def _submit(mock: Mock, prompt: str, **given: object) -> bytes:
    body = {"input": {"mode": MODEL, "prompt": prompt, **given}}
    return request(mock, "POST", SUBMIT_PATH, json.dumps(body, ensure_ascii=False).encode())


CASES = tuple(
    Case(name=name, title=title, steps=steps)
    for name, title, steps in (
        ("first_callback", "the first callback of a server", _first_callback),
        ("ending", "10,000 tasks that end at one instant", _ending),
        ("callbacks_at_once", "1,000 callbacks that are due at once", _callbacks_at_once),
        ("journal", "`journal?limit=10000`", _answer_of("journal?limit=10000")),
        ("newest_entry", "`journal?limit=1` of a full journal", _answer_of("journal?limit=1")),
        ("har", "a full journal as HAR", _answer_of("journal?format=har")),
        ("snapshot", "a snapshot of 10,000 tasks", _answer_of("sandbox/snapshot")),
        ("restore", "the same snapshot restored", _restored),
        ("tasks", "a list of 10,000 tasks", _answer_of("tasks?limit=10000")),
        ("callbacks", "a list of 10,000 callbacks", _answer_of("callbacks")),
        ("audit", "the audit of a full journal, as a page", _answer_of("audit?format=html")),
        ("dashboard", "the dashboard of a full sandbox", _answer_of("")),
        ("removed", "a sandbox with 10,000 callbacks removed", _removed),
        ("rules", "1,000 rules, 870 KB of JSON", _rules),
        ("slow_pattern", "10 submits and a pattern that never ends", _slow_pattern),
        ("combining_marks", "10 prompts of 10,000 combining marks", _combining_marks),
        ("long_key", "a journal that nearly contains a long key", _long_key),
        ("flood", "receivers that send 1xx responses without end", _flood),
        ("image", "4 images with 200,000 parts", _image),
        ("small_chunks", "a body of 200,000 chunks", _small_chunks),
        ("waits", "20 submits and 100 open waits", _waits),
        ("streams", "20 submits and 100 open event streams", _streams),
    )
)
