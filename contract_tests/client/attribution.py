"""Attributes the requests of a client to calls: a request and the attempts that repeat it.

A client may run several tasks at once, so neither the order nor the address of the requests shows
what repeats what. A submit belongs to its input, a status request to its task.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from contract_tests.client.records import API_OPERATIONS, HttpExchange

Purpose = tuple[str, ...]


class ApiCall(msgspec.Struct, frozen=True):
    """The attempts of one call, in order. Every attempt but the last has failed."""

    attempts: tuple[HttpExchange, ...]

    @property
    def operation(self) -> str:
        return self.attempts[0].operation

    @property
    def last(self) -> HttpExchange:
        return self.attempts[-1]

    @property
    def task_id(self) -> str:
        """The task of the call, also of its rejected attempts; empty if none was created."""
        return next((each.task_id for each in self.attempts if each.task_id), "")


class Repetitions(msgspec.Struct, frozen=True):
    """The requests that repeat one request: how many there are, and the first of them."""

    number: int
    first: HttpExchange | None


def purpose_of(exchange: HttpExchange) -> Purpose:
    """Return what a request is for; requests with the same purpose may repeat each other."""
    if exchange.operation == "submit":
        return "submit", exchange.input_key
    if exchange.operation == "status":
        return "status", exchange.requested_task_id or exchange.path
    return exchange.operation, exchange.resource_path


def can_follow(earlier: HttpExchange, later: HttpExchange) -> bool:
    """Tell whether the client could know the response to `earlier` when it sent `later`."""
    return later.number > earlier.number and not are_concurrent(earlier, later)


def are_concurrent(earlier: HttpExchange, later: HttpExchange) -> bool:
    """Tell whether the second request began before the first one had its response."""
    if earlier.began_ms is None or later.began_ms is None:
        return False
    # Both instants have whole milliseconds, so that a request in the same one has followed.
    return later.began_ms < int(earlier.began_ms + earlier.duration_ms)


def repetitions_in(group: Sequence[HttpExchange]) -> Iterator[tuple[int, Repetitions]]:
    """Yield the number of each exchange with those later ones that can follow it (`can_follow`).

    The group is in journal order. This takes less than quadratic time.
    """
    unordered = 0  # The number of later exchanges whose start is unknown.
    began_ms: list[int] = []  # The starts of the others, in ascending order.
    # Each of these began later than all exchanges between it and the current one. So the nearest
    # exchange that began at or after any instant is one of them. The last item is the nearest.
    latest: list[HttpExchange] = []
    following: HttpExchange | None = None
    first_unordered: HttpExchange | None = None
    for each in reversed(group):
        if each.began_ms is None:
            yield each.number, Repetitions(unordered + len(began_ms), following)
            unordered += 1
            first_unordered = each
        else:
            end_ms = int(each.began_ms + each.duration_ms)
            number = unordered + len(began_ms) - bisect_left(began_ms, end_ms)
            nearest = bisect_right(latest, -end_ms, key=_descending)
            found = [latest[nearest - 1]] if nearest else []
            found += [first_unordered] if first_unordered else []
            first = min(found, key=lambda one: one.number, default=None)
            yield each.number, Repetitions(number, first)
            insort(began_ms, each.began_ms)
            while latest and _descending(latest[-1]) >= -each.began_ms:
                latest.pop()
            latest.append(each)
        following = each


def _descending(exchange: HttpExchange) -> int:
    return -(exchange.began_ms or 0)


def calls_of(
    exchanges: Iterable[HttpExchange], check_cancelled: Callable[[], None]
) -> tuple[ApiCall, ...]:
    """Return the calls of the provider's API, by the journal order of their first attempts.

    `check_cancelled` is called for each exchange: a journal of concurrent ones takes long.
    """
    groups: defaultdict[Purpose, list[HttpExchange]] = defaultdict(list)
    for each in exchanges:
        if each.operation in API_OPERATIONS:
            groups[purpose_of(each)].append(each)
    calls = [call for group in groups.values() for call in _calls_in(group, check_cancelled)]
    return tuple(sorted(calls, key=lambda call: call.attempts[0].number))


def _calls_in(group: Sequence[HttpExchange], check_cancelled: Callable[[], None]) -> list[ApiCall]:
    """Split the requests with one purpose into calls.

    A client may send the same input for several tasks. The first submits then begin its tasks, and
    only as many of the last ones as are left over can be repetitions.
    """
    repeats_from = _count_tasks(group) if group[0].operation == "submit" else 1
    chains: list[list[HttpExchange]] = []
    failed: deque[list[HttpExchange]] = deque()
    for position, request in enumerate(group):
        check_cancelled()
        chain = _claim(failed, request) if position >= repeats_from else None
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(request)
        if _has_failed(request):
            failed.append(chain)
    return [ApiCall(tuple(chain)) for chain in chains]


def _claim(failed: "deque[list[HttpExchange]]", request: HttpExchange) -> list[HttpExchange] | None:
    """Remove and return the chain whose last attempt `request` repeats: the oldest of them."""
    for chain in failed:
        if can_follow(chain[-1], request):
            failed.remove(chain)
            return chain
    return None


def _has_failed(exchange: HttpExchange) -> bool:
    return exchange.status != _OK or exchange.is_broken


def _count_tasks(submits: Sequence[HttpExchange]) -> int:
    """Return for how many tasks a client has sent the same input, as far as it shows."""
    accepted = sum(each.status == _OK and bool(each.task_id) for each in submits)
    concurrent = sum(are_concurrent(submits[0], each) for each in submits[1:])
    return max(1, accepted, 1 + concurrent)


_OK: Final = 200
