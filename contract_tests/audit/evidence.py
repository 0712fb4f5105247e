"""What is known of a client's doings: the journal and the tasks of one sandbox, and its end."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

K = TypeVar("K", bound=Hashable)

FINAL: Final = ("success", "failed")  # a tuple: what is looked up may be no text at all
_BREAKING: Final = frozenset(
    f"wire {kind}"
    for kind in (
        "close", "reset", "half-body", "garbage", "empty", "html-error", "wrong-content-type",
        "invalid-json", "bad-gzip",
    )
)  # fmt: skip
_LEAST_MS: Final = 50  # tolerance of every wait that is judged …
_SHARE: Final = 0.05  # … and a share of it


class Exchange(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A request and its answer, or an attempt of a callback, as the journal tells it.

    `at_ms` is the instant of the answer on the sandbox's clock; `injected` what a rule did.
    """

    number: int
    at_ms: int
    operation: str
    task_id: str
    status: int
    duration_ms: float
    injected: frozenset[str]
    error: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str
    answer_headers: tuple[tuple[str, str], ...]
    answer_body: str

    def header(self, name: str) -> str | None:
        return _found(self.headers, name)

    def answer_header(self, name: str) -> str | None:
        return _found(self.answer_headers, name)

    @property
    def is_broken(self) -> bool:
        """Whether the answer did not arrive as one that can be read."""
        return bool(self.injected & _BREAKING)

    @property
    def is_refused_on_purpose(self) -> bool:
        return any(fault.startswith("refuse ") for fault in self.injected)

    @cached_property
    def sent(self) -> Any:
        """The body of the request, decoded; None when it is no JSON."""
        return _decoded(self.body)

    @cached_property
    def wish(self) -> str:
        """What a submit asks for: the same wish twice is the same picture twice."""
        if not isinstance(self.sent, dict):
            return self.body
        try:
            return json.dumps(self.sent.get("input"), sort_keys=True)
        except RecursionError:  # nested just as deep as could be read
            return self.body

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """`data` of what was answered, or of what a callback told; empty when it is none."""
        body = _decoded(self.body if self.operation == "callback" else self.answer_body)
        data = body.get("data") if isinstance(body, dict) else None
        return data if isinstance(data, dict) else {}

    @property
    def state(self) -> str:
        """The state that was told; empty when there is none, or what is there is no word."""
        state = self.told.get("state")
        return state if isinstance(state, str) else ""

    @property
    def asked_id(self) -> str | None:
        """The `taskId` of a status request, as a server reads it."""
        query = self.path.partition("?")[2].partition("#")[0]
        pairs = parse_qsl(query, keep_blank_values=True)
        return next((value for name, value in pairs if name == "taskId"), None)

    @property
    def address(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


class TaskSeen(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    num_images: int
    created_ms: int
    state: str
    ended_ms: int | None = None
    fail_code: str | None = None
    result_urls: tuple[str, ...] = ()


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How the client ended; `output` is what it wrote, both streams."""

    exit_status: int
    output: str = ""
    timed_out: bool = False
    after_s: float = 0.0


class Evidence(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """`unauthorized` counts requests without a usable key, which no sandbox can be blamed for."""

    exchanges: tuple[Exchange, ...] = ()
    tasks: tuple[TaskSeen, ...] = ()
    ended: Ended | None = None
    dropped: int = 0
    is_manual: bool = False
    unauthorized: int = 0

    def of(self, *operations: str) -> list[Exchange]:
        if len(operations) == 1:
            return self._by_operation[operations[0]]
        return [each for each in self.exchanges if each.operation in operations]

    @cached_property
    def accepted(self) -> list[Exchange]:
        """The submits that made a task, whether their answer arrived or not."""
        return [each for each in self.of("submit") if each.status == 200 and each.task_id]

    def same_purchase_after(
        self, submit: Exchange, told: Exchange | None = None
    ) -> Exchange | None:
        """Return the next accepted submit that wishes for the same, after something was told."""
        return next(iter(later(self._by_wish[submit.wish], told or submit)), None)

    @cached_property
    def asks_for_callbacks(self) -> bool:
        return any(
            isinstance(each.sent, dict) and each.sent.get("request_type") == "callback"
            for each in self.of("submit")
        )

    @property
    def waits_for_callbacks(self) -> bool:
        return self.asks_for_callbacks and not self.of("status")

    def polls(self, task_id: str) -> list[Exchange]:
        return self._by_task["status", task_id]

    def attempts(self, task_id: str) -> list[Exchange]:
        return self._by_task["callback", task_id]

    def downloads(self, task_id: str) -> list[Exchange]:
        return self._by_task["result", task_id]

    def next_of_kind(self, exchange: Exchange) -> Exchange | None:
        """Return the next request of the same operation to the same address."""
        same = self._by_address[exchange.operation, exchange.address]
        return next(iter(later(same, exchange)), None)

    def repeated(self, exchange: Exchange) -> list[Exchange]:
        """Return what was sent after it word by word as it was."""
        return later(self._by_words[_words(exchange)], exchange)

    @cached_property
    def _by_operation(self) -> "defaultdict[str, list[Exchange]]":
        return _grouped(self.exchanges, lambda each: each.operation)

    @cached_property
    def _by_task(self) -> "defaultdict[tuple[str, str], list[Exchange]]":
        return _grouped(self.exchanges, lambda each: (each.operation, each.task_id))

    @cached_property
    def _by_address(self) -> "defaultdict[tuple[str, str], list[Exchange]]":
        return _grouped(self.exchanges, lambda each: (each.operation, each.address))

    @cached_property
    def _by_words(self) -> "defaultdict[tuple[str, ...], list[Exchange]]":
        return _grouped(self.exchanges, _words)

    @cached_property
    def _by_wish(self) -> "defaultdict[str, list[Exchange]]":
        return _grouped(self.accepted, lambda each: each.wish)

    def waited_s(self, earlier: Exchange, later: Exchange) -> float | None:
        """Return the time between two; None where the clock stood still and so tells nothing."""
        gap_ms = later.at_ms - earlier.at_ms
        return None if self.is_manual and gap_ms == 0 else gap_ms / 1000

    def ends_told(self, task_id: str) -> list[Exchange]:
        """Return what told the client that a task had ended: good answers, taken callbacks."""
        found = [
            each
            for each in sorted(
                self.polls(task_id) + self.attempts(task_id), key=lambda each: each.number
            )
            if each.status == 200
            and not each.is_broken
            and (each.operation == "status" or is_true_callback(each))
            and each.state in FINAL
        ]
        return [each for each in found if "meaning result-json-malformed" not in each.injected]

    def successes_told(self, task_id: str) -> list[Exchange]:
        told = self.ends_told(task_id)
        return [each for each in told if each.state == "success"]

    def failures_told(self, task_id: str) -> list[Exchange]:
        told = self.ends_told(task_id)
        return [each for each in told if each.state == "failed"]

    def has_reached(self, task: TaskSeen, after: Exchange | None = None) -> bool:
        """Tell whether the client got hold of a task's end after something had happened."""
        number = 0 if after is None else after.number
        polled = (each for each in self.ends_told(task.id) if each.operation == "status")
        return (
            any(each.number > number for each in polled)
            or any(each.number > number for each in self.downloads(task.id))
            or (self.ended is not None and any(u in self.ended.output for u in task.result_urls))
        )


def later(exchanges: list[Exchange], exchange: Exchange) -> list[Exchange]:
    """Return those of a list, in order, that came after one."""
    return exchanges[bisect_right(exchanges, exchange.number, key=lambda each: each.number) :]


def _words(exchange: Exchange) -> tuple[str, ...]:
    return (exchange.operation, exchange.method, exchange.path, exchange.body)


def _grouped(
    exchanges: Iterable[Exchange], key_of: Callable[[Exchange], K]
) -> defaultdict[K, list[Exchange]]:
    groups: defaultdict[K, list[Exchange]] = defaultdict(list)
    for each in exchanges:
        groups[key_of(each)].append(each)
    return groups


def is_true_callback(exchange: Exchange) -> bool:
    """Tell whether it is a callback that tells the truth, whenever and how often it comes."""
    lies = {"callback drop", "callback garbage", "callback both"}
    return exchange.operation == "callback" and not exchange.injected & lies


def least_s(wanted_s: float) -> float:
    """Return what is taken for a wait of so many seconds: 50 ms and 5 % less will do."""
    return max(0.0, wanted_s * (1 - _SHARE) - _LEAST_MS / 1000)


def evidence_of(
    journal: Mapping[str, Any],
    tasks: Iterable[Mapping[str, Any]],
    *,
    is_manual: bool,
    ended: Ended | None = None,
    unauthorized: int = 0,
) -> Evidence:
    """Read what `GET /_mock/journal` and `GET /_mock/tasks` tell of a sandbox."""
    return Evidence(
        exchanges=tuple(_exchange(entry) for entry in journal["entries"]),
        tasks=tuple(_task(task) for task in tasks),
        ended=ended,
        dropped=journal["dropped"],
        is_manual=is_manual,
        unauthorized=unauthorized,
    )


def _exchange(entry: Mapping[str, Any]) -> Exchange:
    request, answer = entry["request"], entry["answer"] or {}
    return Exchange(
        number=entry["seq"],
        at_ms=entry["at_ms"],
        operation=entry["operation"],
        task_id=entry["task_id"] or "",
        status=entry["status"] or 0,
        duration_ms=entry["duration_ms"],
        injected=frozenset((entry["fault"] or "").split(", ")) - {""},
        error=entry["error"] or "",
        method=request["method"],
        path=request["path"],
        headers=_pairs(request["headers"]),
        body=request["body"],
        answer_headers=_pairs(answer.get("headers", ())),
        answer_body=answer.get("body", ""),
    )


def _task(task: Mapping[str, Any]) -> TaskSeen:
    return TaskSeen(
        id=task["task_id"],
        num_images=task["num_images"],
        created_ms=task["create_time_ms"],
        state=task["state"],
        ended_ms=task.get("complete_time_ms"),
        fail_code=task.get("fail_code"),
        result_urls=tuple(task.get("result_urls", ())),
    )


def _pairs(headers: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)


def _found(headers: tuple[tuple[str, str], ...], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _decoded(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
