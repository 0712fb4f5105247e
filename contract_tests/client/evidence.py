"""What is known of a client's doings: the journal and the tasks of one sandbox, and its end."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Final, TypeVar

import msgspec

from contract_tests.client.exchange import Ended, Exchange, TaskSeen, is_true_callback
from contract_tests.client.faults import HIDES_RESULT
from contract_tests.contract.provider import FINAL

K = TypeVar("K", bound=Hashable)

_LEAST_MS: Final = 50  # tolerance of every wait that is judged …
_SHARE: Final = 0.05  # … and a share of it


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
        return [each for each in found if not each.injected & HIDES_RESULT]

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
            or self.names_result(task)
        )

    def names_result(self, task: TaskSeen) -> bool:
        """Tell whether the client wrote a result's address; a crash shows what it choked on."""
        ended = self.ended
        if ended is None or ended.exit_status != 0:
            return False
        return any(url in ended.output for url in task.result_urls)


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


def least_s(wanted_s: float) -> float:
    """Return what is taken for a wait of so many seconds: 50 ms and 5 % less will do."""
    return max(0.0, wanted_s * (1 - _SHARE) - _LEAST_MS / 1000)
