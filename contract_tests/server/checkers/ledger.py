"""BIL-1 to BIL-3, FAIL-5, SUB-17: every balance is reconciled with what was bought before."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from contract_tests.server.checkers.json_values import is_number
from contract_tests.server.checkers.lives import Life
from contract_tests.server.checkers.operations import Operation
from contract_tests.server.checkers.result_json import result_urls
from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import (
    Control,
    Exchange,
    Flood,
    Sandbox,
    Step,
    Task,
    Trace,
)
from contract_tests.server.checkers.validity import rules_of, validity_of
from contract_tests.server.checkers.violation import Violation

_EXACT: Final = 1e-6
_CENT: Final = 0.01 + _EXACT
_PRICES: Final = (0.035, 0.35)  # US dollars per image; pages disagree (BIL-3).


class _Purchase(msgspec.Struct, eq=False):
    """An accepted task with its price; `is_old` if the balance was set after it was accepted."""

    task: Task
    life: Life
    images: int
    is_old: bool = False


def check_ledger(trace: Trace) -> Iterator[Violation]:
    """Reconcile all balances of each key that only the traffic in the trace could change."""
    if trace.target.is_live or not trace.target.has_own_keys:
        return  # Tasks of other cases and programs may have changed the balance.
    plain = [sandbox for sandbox in trace.sandboxes if sandbox.is_plain]
    price = _known_price(trace)
    for sandbox in plain:
        if price is None:
            price = _learned_price(trace, sandbox)
    for sandbox in plain:
        yield from _Ledger(trace, sandbox, price).violations()


def _learned_price(trace: Trace, sandbox: Sandbox) -> float | None:
    """Return what an image costs, if the purchases of a key tell it."""
    ledger = _Ledger(trace, sandbox, None)
    deque(ledger.violations(), maxlen=0)
    return ledger.price


class _Ledger:
    """Reconciles the balances of one key; `price` is learned from its purchases if it is None."""

    def __init__(self, trace: Trace, sandbox: Sandbox, price: float | None) -> None:
        self._trace = trace
        self._sandbox = sandbox
        self._purchases: list[_Purchase] = []
        self.price = price
        self._low, self._high = float("-inf"), float("inf")
        """The bounds of the balance before all purchases."""
        settled = sandbox.steps[0].settings.get("balance") if sandbox.steps else None
        if sandbox.starts_empty and is_number(settled):
            self._low = self._high = float(settled)
        self._last: Exchange | None = None
        self._is_lost = False

    def violations(self) -> Iterator[Violation]:
        for step in self._sandbox.steps:
            if isinstance(step, Control):
                self._control(step)
            elif isinstance(step, Flood) and step.operation is Operation.SUBMIT:
                self._is_lost = True  # The single tasks of a burst are unknown.
            elif isinstance(step, Exchange) and step.operation is Operation.BALANCE:
                yield from self._balance(step)
            elif isinstance(step, Exchange) and step.operation is Operation.SUBMIT:
                yield from self._submit(step)
            if self._is_lost:
                return

    def _control(self, step: Control) -> None:
        body = step.request.body
        if step.action == "sandbox" and b'"balance"' in body:
            balance = step.settings.get("balance")
            if not is_number(balance):
                self._is_lost = True
                return
            self._low = self._high = float(balance)
            self._last = None
            for purchase in self._purchases:
                purchase.is_old = True
            self._purchases = [
                each for each in self._purchases if each.life.has_ended_by(step) is not True
            ]

    # Submits

    def _submit(self, step: Exchange) -> Iterator[Violation]:
        if step.status == 0:
            self._is_lost = True
            return
        images = self._images(step)
        if step.status == 200:
            if step.task is None or images is None:
                self._is_lost = True
                return
            if self.price is not None and self._trace.has_control:
                yield from self._affordable(step, images * self.price)
            self._purchases.append(_Purchase(step.task, Life(step.task), images))
        elif _lacks_credit(step) and images is not None:
            yield from self._unaffordable(step, images)

    def _images(self, step: Exchange) -> int | None:
        """Return the number of images of a submit. The default of another server is a choice."""
        task, order = step.task, step.order
        if order.has_default_images and not self._trace.has_control and task is not None:
            urls = [result_urls(final.members) for final in task.finals]
            return len(urls[0]) if urls and urls[0] else order.images
        return order.images

    def _affordable(self, step: Exchange, cost: float) -> Iterator[Violation]:
        """Require that a mock, which reserves the price of each task, had enough for one more."""
        most = self._high - sum(
            each.images * (self.price or 0)
            for each in self._purchases
            if not each.is_old and not self._may_be_refunded(each, step)
        )
        if any(each.is_old for each in self._purchases):
            return
        if cost > most + _EXACT:
            expected = f"Insufficient credits: ${cost:g} is more than the balance, ${most:g}"
            yield _violation("SUB-17", "accepted", expected, step)

    def _unaffordable(self, step: Exchange, images: int) -> Iterator[Violation]:
        is_valid = validity_of(step.request, rules_of(step.settings)).is_valid
        if not self._trace.has_control or self.price is None or not is_valid:
            return
        cost = images * self.price
        least = self._low - sum(
            each.images * self.price
            for each in self._purchases
            if not each.is_old
            and not (each.life.state == "failed" and each.life.has_ended_by(step) is True)
        )
        if cost <= least - _EXACT:
            expected = f"HTTP 200: ${cost:g} is not more than the balance, ${least:g}"
            yield _violation("SUB-17", "rejected", expected, step)
        configured = step.settings.get("insufficient_credits_status")
        if configured in {400, 402} and step.status != configured:
            expected = f"HTTP {configured} Insufficient credits, as configured"
            yield _violation("SUB-17", "status", expected, step)

    def _may_be_refunded(self, purchase: _Purchase, step: Step) -> bool:
        state = purchase.life.state
        return state != "success" and purchase.life.has_ended_by(step) is not False

    # Balances

    def _balance(self, step: Exchange) -> Iterator[Violation]:
        if step.status != 200:
            return
        told = step.data
        if not is_number(told) or told < 0:
            expected = "a number of US dollars in data, 0 or more"
            yield _violation("BIL-2", "number", expected, step)
            self._is_lost = True
            return
        if self.price is None:
            self._learn(step, float(told))
        if self.price is not None:
            yield from self._reconciled(step, float(told), self.price)
        self._last = step

    def _learn(self, step: Exchange, told: float) -> None:
        """Learn the price from the first task that has certainly succeeded since a balance."""
        before = self._last.data if self._last is not None else None
        if self._last is None or not is_number(before):
            return
        settled = [each for each in self._purchases if each.life.has_ended_by(step) is True]
        is_clean = len(settled) == len(self._purchases) and all(
            each.life.state == "success" for each in settled
        )
        new = [each for each in settled if each.task.submit.number > self._last.number]
        if is_clean and len(new) == len(settled) and new:
            per_image = (float(before) - told) / sum(each.images for each in new)
            near = [price for price in _PRICES if abs(price - per_image) <= _CENT]
            self.price = near[0] if near else None
            self._low = self._high = float(before)

    def _reconciled(self, step: Exchange, told: float, price: float) -> Iterator[Violation]:
        charges = [_charge(each, step, price) for each in self._purchases]
        least, most = (sum(side) for side in zip(*charges, strict=True)) if charges else (0.0, 0.0)
        rounded = _CENT if abs(told - round(told, 2)) < _EXACT and self._is_in_cents() else _EXACT
        low, high = self._low - most - rounded, self._high - least + rounded
        if low <= told <= high:
            # The reading tells more about the balance before all purchases.
            self._low = max(self._low, told + least - rounded)
            self._high = min(self._high, told + most + rounded)
            return
        for clause in self._blamed(step, (low - told, high - told), price):
            expected = f"a balance of ${high:g}" if high - low < 0.1 else f"${low:g} to ${high:g}"
            yield _violation(clause, "reconciled", f"{expected}, after {self._story(step)}", step)
        self._low, self._high = told + least, told + most

    def _is_in_cents(self) -> bool:
        """Return whether the service rounds, so that a balance is off by up to a cent."""
        return not self._trace.has_control

    def _blamed(self, step: Exchange, missing: tuple[float, float], price: float) -> Sequence[str]:
        """Return the violated clauses.

        `missing` is how much more the balance should be, at least and at most; negative if the
        balance is too high.
        """
        since = self._last.number if self._last is not None else -1
        submits = [
            each
            for each in self._sandbox.steps
            if isinstance(each, Exchange)
            and each.operation is Operation.SUBMIT
            and since < each.number < step.number
        ]
        open_before = [
            each
            for each in self._purchases
            if self._last is None or each.life.has_ended_by(self._last) is not True
        ]
        failed = [each for each in open_before if each.life.state == "failed"]
        if not submits and not open_before:
            return ["AUTH-4"] if self._others_acted(since, step.number) else ["BIL-2"]
        least, most = missing
        if least > 0 and failed:
            # Another server may bill failed tasks, because FAIL-5 is a choice.
            cost = price * sum(each.images for each in failed)
            explains = not self._trace.has_control and least <= cost <= most
            is_certain = explains or len(failed) == len(open_before)
            return ["FAIL-5"] if is_certain else ["FAIL-5", "BIL-1", "BIL-3"]
        return ["BIL-1", "BIL-3"] if open_before else ["BIL-1"]

    def _others_acted(self, since: int, until: int) -> bool:
        return any(
            since < each.number < until
            for each in self._trace.exchanges
            if each.sandbox is not None and each.sandbox is not self._sandbox
        )

    def _story(self, step: Step) -> str:
        counts = {"success": 0, "failed": 0, None: 0}
        for each in self._purchases:
            state = each.life.state if each.life.has_ended_by(step) is True else None
            counts[state if state in counts else None] += each.images
        return (
            f"{counts['success']} images that succeeded, {counts['failed']} that failed"
            f" and {counts[None]} in progress"
        )


def _charge(purchase: _Purchase, step: Step, price: float) -> tuple[float, float]:
    """Return the least and the most that a task has cost when a balance was read."""
    cost = purchase.images * price
    has_ended, state = purchase.life.has_ended_by(step), purchase.life.state
    if purchase.is_old:  # Its price was reserved before the balance was set; it may be refunded.
        return -cost, cost
    if has_ended is True and state == "success":
        return cost, cost
    if has_ended is True and state == "failed":
        return 0.0, 0.0
    return 0.0, cost


def _known_price(trace: Trace) -> float | None:
    price = (trace.target.info or {}).get("price")
    return float(price) if trace.has_control and is_number(price) else None


def _lacks_credit(exchange: Exchange) -> bool:
    return exchange.status in {400, 402} and "insufficient credit" in exchange.error_text.lower()


def _violation(clause: str, kind: str, expected: str, step: Exchange) -> Violation:
    return Violation(
        clause=clause, kind=kind, expected=expected, seen=shown(step), event=step.number
    )
