"""The evidence of one case: the journal and the tasks of its sandbox, and the client's exit."""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeVar
from urllib.parse import unquote

import msgspec

from contract_tests.client.attribution import ApiCall, Repetitions, calls_of, repetitions_in
from contract_tests.client.faults import HIDES_RESULT
from contract_tests.client.records import (
    ClientExit,
    HttpExchange,
    TaskRecord,
    Trait,
    is_genuine_callback,
    path_of,
)
from contract_tests.contract.provider import FINAL

K = TypeVar("K", bound=Hashable)

_TOLERANCE_MS: Final = 50
_TOLERANCE_SHARE: Final = 0.05


def never_cancelled() -> None:
    """Do nothing, because nobody cancels this audit."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All facts that the rules judge.

    `client_exit` is None if the audit did not start the client. `dropped` is the number of entries
    that the journal has dropped. `unauthorized` is the number of requests without a usable key,
    which reach no sandbox. `is_manual` is true if the sandbox's clock is manual. `pictures` are
    the results of the tasks by URL, if the client was told an output directory. `prompt` is the
    prompt that the client was given, or None if it may choose its own. `declared` is what the
    user declared about the client. `check_cancelled` raises an exception if the verdicts are no
    longer wanted. The methods call it, because the rules call them for each task and each exchange.
    """

    exchanges: tuple[HttpExchange, ...] = ()
    tasks: tuple[TaskRecord, ...] = ()
    client_exit: ClientExit | None = None
    dropped: int = 0
    is_manual: bool = False
    unauthorized: int = 0
    pictures: Mapping[str, bytes] = {}
    prompt: str | None = None
    declared: frozenset[Trait] = frozenset()
    check_cancelled: Callable[[], None] = never_cancelled

    def of(self, *operations: str) -> list[HttpExchange]:
        """Return the exchanges of these operations, in journal order."""
        self.check_cancelled()
        if len(operations) == 1:
            return self._by_operation[operations[0]]
        return [each for each in self.exchanges if each.operation in operations]

    @cached_property
    def accepted_submits(self) -> list[HttpExchange]:
        """The submits that created a task, whether or not their response arrived."""
        return [each for each in self.of("submit") if is_accepted(each)]

    def submits(self, task_id: str) -> list[HttpExchange]:
        """Return the accepted submits of a task. There is one, unless the journal dropped it."""
        return [each for each in self._of_task("submit", task_id) if is_accepted(each)]

    def repeat_purchase(
        self, submit: HttpExchange, after: HttpExchange | None = None
    ) -> HttpExchange | None:
        """Return the next accepted submit with the same input after `after` (default: `submit`)."""
        self.check_cancelled()
        later_submits = exchanges_after(self._by_input[submit.input_key], after or submit)
        return next(iter(later_submits), None)

    @cached_property
    def requests_callbacks(self) -> bool:
        """Whether a submit has `request_type: callback`."""
        return any(
            isinstance(submit.request_json, dict)
            and submit.request_json.get("request_type") == "callback"
            for submit in self.of("submit")
        )

    @property
    def waits_for_callbacks(self) -> bool:
        """Whether the client relies on callbacks and never polls."""
        return self.requests_callbacks and not self.of("status")

    def polls(self, task_id: str) -> list[HttpExchange]:
        """Return the status requests for a task."""
        return self._of_task("status", task_id)

    def count_polls_sent_after(self, poll: HttpExchange) -> int:
        """Return how many status requests for a task the client sent after `poll`.

        The client may have stopped waiting for a slow response. Then the journal has it later.
        """
        later = exchanges_after(self.polls(poll.task_id), poll)
        return len(later) + self._overtaking_polls[poll.number]

    def callback_attempts(self, task_id: str) -> list[HttpExchange]:
        """Return the delivery attempts of a task's callback."""
        return self._of_task("callback", task_id)

    def downloads(self, task_id: str) -> list[HttpExchange]:
        """Return the requests for a task's results."""
        return self._of_task("result", task_id)

    def downloads_like(self, download: HttpExchange) -> list[HttpExchange]:
        """Return the requests for the same result of the same task."""
        self.check_cancelled()
        return self._by_result[download.task_id, download.resource_path]

    @cached_property
    def calls(self) -> tuple[ApiCall, ...]:
        """The requests to the provider's API, attributed to calls."""
        return calls_of(self.exchanges, self.check_cancelled)

    def complete_downloads(self) -> dict[str, list[HttpExchange]]:
        """Return the downloads that gave the client a whole, correct picture, by result URL."""
        urls = {path_of(url): url for task in self.tasks for url in task.result_urls}
        found: dict[str, list[HttpExchange]] = {}
        for each in self.of("result"):
            url = urls.get(unquote(each.resource_path))
            if url and each.method == "GET" and each.status == 200 and not each.is_spoiled:
                found.setdefault(url, []).append(each)
        return found

    def next_attempt(self, exchange: HttpExchange) -> HttpExchange | None:
        """Return the request that repeats a failed request for the same purpose."""
        self.check_cancelled()
        return self._next_attempts.get(exchange.number)

    def repetitions_of(self, exchange: HttpExchange) -> Repetitions:
        """Return the requests with the same content that the client sent after the response."""
        self.check_cancelled()
        return self._repetitions[exchange.number]

    @cached_property
    def _by_operation(self) -> "defaultdict[str, list[HttpExchange]]":
        return _group(self.exchanges, lambda each: each.operation)

    @cached_property
    def _by_task(self) -> "defaultdict[tuple[str, str], list[HttpExchange]]":
        return _group(self.exchanges, lambda each: (each.operation, each.task_id))

    def _of_task(self, operation: str, task_id: str) -> list[HttpExchange]:
        self.check_cancelled()
        return self._by_task.get((operation, task_id), [])

    @cached_property
    def _by_result(self) -> "defaultdict[tuple[str, str], list[HttpExchange]]":
        return _group(self.of("result"), lambda each: (each.task_id, each.resource_path))

    @cached_property
    def _next_attempts(self) -> dict[int, HttpExchange]:
        return {
            earlier.number: later
            for call in self.calls
            for earlier, later in pairwise(call.attempts)
        }

    @cached_property
    def _repetitions(self) -> dict[int, Repetitions]:
        groups = _group(self.exchanges, _content_of).values()
        return {number: each for group in groups for number, each in repetitions_in(group)}

    @cached_property
    def _overtaking_polls(self) -> Counter[int]:
        """By entry number: how many status requests have an earlier entry, but began later."""
        counts: Counter[int] = Counter()
        began_ms: defaultdict[str, list[int]] = defaultdict(list)  # By task, in ascending order.
        for poll in self.of("status"):
            if poll.began_ms is not None:
                before = began_ms[poll.task_id]
                counts[poll.number] = len(before) - bisect_right(before, poll.began_ms)
                insort(before, poll.began_ms)
        return counts

    @cached_property
    def _by_input(self) -> "defaultdict[str, list[HttpExchange]]":
        return _group(self.accepted_submits, lambda submit: submit.input_key)

    def wait_s(self, earlier: HttpExchange, later: HttpExchange) -> float | None:
        """Return the seconds between two exchanges, or None if a manual clock did not move."""
        gap_ms = later.at_ms - earlier.at_ms
        return None if self.is_manual and gap_ms == 0 else gap_ms / 1000

    def final_notices(self, task_id: str) -> list[HttpExchange]:
        """Return the exchanges from which the client learned that a task had ended.

        These are readable status responses and accepted callbacks with a final state.
        """
        received = sorted(
            self.polls(task_id) + self.callback_attempts(task_id), key=lambda each: each.number
        )
        return [
            each
            for each in received
            if each.status == 200
            and not each.is_broken
            and (each.operation == "status" or is_genuine_callback(each))
            and each.state in FINAL
            and not each.injected & HIDES_RESULT
        ]

    def success_notices(self, task_id: str) -> list[HttpExchange]:
        """Return those of `final_notices` whose state is `success`."""
        return [each for each in self.final_notices(task_id) if each.state == "success"]

    def failure_notices(self, task_id: str) -> list[HttpExchange]:
        """Return those of `final_notices` whose state is `failed`."""
        return [each for each in self.final_notices(task_id) if each.state == "failed"]

    def has_learned_outcome(self, task: TaskRecord, after: HttpExchange | None = None) -> bool:
        """Tell whether the client got a task's outcome by itself, after an exchange if given.

        It polled the final state, requested a result, or printed a result address.
        """
        number = 0 if after is None else after.number
        polled = (each for each in self.final_notices(task.id) if each.operation == "status")
        return (
            any(each.number > number for each in polled)
            or any(each.number > number for each in self.downloads(task.id))
            or self.has_printed_result(task)
        )

    def has_printed_result(self, task: TaskRecord) -> bool:
        """Tell whether a client that succeeded printed a result address.

        The output of a client that failed proves nothing: it may show unparsed input.
        """
        client_exit = self.client_exit
        if client_exit is None or client_exit.exit_status != 0:
            return False
        return any(url in client_exit.output for url in task.result_urls)


def exchanges_after(exchanges: list[HttpExchange], exchange: HttpExchange) -> list[HttpExchange]:
    """Return the part of a list in journal order that follows an exchange."""
    return exchanges[bisect_right(exchanges, exchange.number, key=lambda each: each.number) :]


def is_accepted(submit: HttpExchange) -> bool:
    """Tell whether a submit created a task, whether or not its response arrived."""
    return submit.status == 200 and bool(submit.task_id)


def minimum_wait_s(required_s: float) -> float:
    """Return the shortest wait that still counts as `required_s`: 50 ms and 5 % less."""
    return max(0.0, required_s * (1 - _TOLERANCE_SHARE) - _TOLERANCE_MS / 1000)


def _content_of(exchange: HttpExchange) -> tuple[str, ...]:
    return (exchange.operation, exchange.method, exchange.path, exchange.body_key)


def _group(
    exchanges: Iterable[HttpExchange], key_of: Callable[[HttpExchange], K]
) -> defaultdict[K, list[HttpExchange]]:
    groups: defaultdict[K, list[HttpExchange]] = defaultdict(list)
    for each in exchanges:
        groups[key_of(each)].append(each)
    return groups
