"""The account of all callbacks of a soak test: expected, received, and as the server lists them."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from benchmarks.soak.callback_kinds import CallbackKind
from benchmarks.soak.problems import Problems

PENDING = "pending"


class ListedAttempt(msgspec.Struct, frozen=True):
    status: int | None
    error: str | None


class ListedDelivery(msgspec.Struct, frozen=True):
    """A delivery as `GET /_mock/callbacks` lists it."""

    url: str
    state: str
    attempts: Sequence[ListedAttempt]
    next_ms: int | None = None


class ListedDeliveries(msgspec.Struct, frozen=True):
    deliveries: list[ListedDelivery]


class _Open(msgspec.Struct):
    """A callback task whose delivery has not been seen to end."""

    kind: CallbackKind
    key: str
    is_accepted: bool = False
    received: int = 0
    last: str = "not listed by the server"  # How the server has last listed it.


class CallbackAccount:
    """Compares each callback task with its kind, once its delivery has ended.

    The number of a task is the last part of its `callback_url`. The receiver counts a callback
    before it responds, so what it has counted is complete when the delivery has ended.
    """

    def __init__(self) -> None:
        self.problems = Problems()
        self.ended: Counter[str] = Counter()  # By kind.
        self.received = 0
        self._last = 0
        self._open: dict[int, _Open] = {}
        self._ended: set[int] = set()

    @property
    def open_keys(self) -> set[str]:
        """The keys of the tasks whose delivery has not been seen to end."""
        return {found.key for found in self._open.values()}

    def expect(self, kind: CallbackKind, key: str) -> int:
        """Return the number of a task that is about to be submitted with a key."""
        self._last += 1
        self._open[self._last] = _Open(kind, key)
        return self._last

    def accept(self, number: int) -> None:
        """Note that the submit of a task was accepted."""
        self._open[number].is_accepted = True

    def reject(self, number: int) -> None:
        """Note that the submit of a task was rejected, so there must be no callback."""
        rejected = self._open.pop(number)
        self._ended.add(number)
        if rejected.received:
            self.problems.add("a callback of a submit that was rejected", rejected.kind.name)

    def receive(self, number: int) -> int:
        """Note that a callback was received. Return how many of its task were."""
        self.received += 1
        found = self._open.get(number)
        if found is None:
            problem = "after its delivery had ended" if number in self._ended else "of no task"
            self.problems.add(f"a callback {problem}", f"number {number}")
            return 1
        found.received += 1
        return found.received

    def read(self, listed: ListedDeliveries) -> None:
        """Compare the deliveries that have ended with their kinds."""
        for delivery in listed.deliveries:
            number = int(delivery.url.rpartition("/")[2])
            found = self._open.get(number)
            if found is None or not found.is_accepted:
                continue
            found.last = f"{_shown(delivery)}, next at {delivery.next_ms}"
            if delivery.state != PENDING:
                del self._open[number]
                self._ended.add(number)
                self._judge(found, delivery)

    def close(self) -> None:
        """Add a problem for each callback that is still open."""
        for found in self._open.values():
            self.problems.add(
                "a delivery that did not end", f"{found.kind.name}, {found.key}: {found.last}"
            )
        self._open.clear()

    def _judge(self, found: _Open, delivery: ListedDelivery) -> None:
        kind = found.kind
        self.ended[kind.name] += 1
        expected = (kind.state, kind.attempts, kind.received)
        if (delivery.state, len(delivery.attempts), found.received) != expected:
            self.problems.add(
                "a delivery that differs from its kind",
                f"{kind.name}: expected {kind.state} after {kind.attempts} attempts and"
                f" {kind.received} received, found {_shown(delivery)}, received {found.received}",
            )


def _shown(delivery: ListedDelivery) -> str:
    results = ", ".join(str(each.status or each.error) for each in delivery.attempts)
    return f"{delivery.state} after {len(delivery.attempts)} attempts ({results or 'none'})"
