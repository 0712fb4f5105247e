"""Alterations of the balance and of limits."""

from collections.abc import Callable
from typing import Any

from tests.contract_tests.mutants.engine.alterations import (
    Alteration,
    Answer,
    Holds,
    telling,
    with_header,
    with_key,
)
from tests.contract_tests.mutants.engine.occasions import Occasion, SeenTask
from tests.contract_tests.mutants.harness import Asked, Serve, Told
from tests.contract_tests.mutants.steering import count_once, is_limited, let_through, steer

_PRICE_USD = 0.035
_ALSO = frozenset({"BIL-1", "BIL-2", "BIL-3", "FAIL-5"})
_BY_TASK = frozenset({"always", "task", "end", "key"})


def _ledger(operator: str, place: str, images: Callable[[SeenTask, str], float],
            clause: str = "BIL-1", when: str = "balance") -> Alteration:  # fmt: skip
    """Charge a number of images too many for each task, by its state now."""

    def sums_over(holds: Holds) -> Answer:
        async def answered(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
            if occasion.channel != "balance" or told.status != 200:
                return told
            tasks = [task for task in occasion.seen_key.tasks if holds(_of(task, occasion))]
            if not tasks:
                return told
            states = await _states(asked, serve)
            more = sum(images(task, states[task.id]) for task in tasks if task.id in states)
            balance = round(told.json["data"] - more * _PRICE_USD, 6)
            return told.with_json(told.json | {"data": balance}) if more else told

        return answered

    return Alteration(
        operator=operator, place=place, clause=clause, when=frozenset({when}), also=_ALSO,
        about=_BY_TASK, sums_over=sums_over,
    )  # fmt: skip


def _of(task: SeenTask, occasion: Occasion) -> Occasion:
    return Occasion(
        memory=occasion.memory, channel="balance", key=task.key, task=task, body=task.body,
        now_ms=occasion.now_ms, throttled_before=occasion.throttled_before,
    )  # fmt: skip


async def _states(asked: Asked, serve: Serve) -> dict[str, str]:
    tasks: list[dict[str, Any]] = (await steer(asked, serve, "GET", "tasks"))["tasks"]
    return {task["task_id"]: task["state"] for task in tasks}


def _balance(operator: str, change: Callable[[float, Occasion], object]) -> Alteration:
    def changed(told: Told, occasion: Occasion) -> Told:
        if occasion.channel != "balance" or told.status != 200:
            return told
        return told.with_json(told.json | {"data": change(told.json["data"], occasion)})

    return Alteration(
        operator=operator, place="balance", clause="BIL-2", when=frozenset({"balance"}),
        also=_ALSO | {"ENV-1"}, answer=telling(changed),
    )  # fmt: skip


def _stale(value: float, occasion: Occasion) -> float:
    """Tell the first balance of the key for ever."""
    first: float = occasion.memory.notes.setdefault(f"balance {occasion.key!r}", value)
    return first


def _charging_rejections(_: Holds) -> Answer:
    async def answered(_: Asked, __: Serve, told: Told, occasion: Occasion) -> Told:
        if occasion.channel != "balance" or told.status != 200:
            return told
        balance = told.json["data"] - occasion.seen_key.rejected * _PRICE_USD
        return told.with_json(told.json | {"data": round(balance, 6)})

    return answered


def _retry_after(operator: str, change: Callable[[int], bytes | None]) -> tuple[Alteration, ...]:
    def changed(channels: tuple[str, ...]) -> Callable[[Told, Occasion], Told]:
        def change_header(told: Told, occasion: Occasion) -> Told:
            written = dict(told.headers).get(b"retry-after")
            if told.status != 429 or written is None or occasion.channel not in channels:
                return told
            return with_header(told, b"retry-after", change(int(written)))

        return change_header

    return tuple(
        Alteration(
            operator=operator, place=f"retry-after-of-{place}", clause="LIM-5",
            when=frozenset({"limit"}), also=frozenset({"LIM-1", "LIM-2"}),
            about=frozenset({"always", "key"}), answer=telling(changed(channels)),
        )
        for place, channels in (("submits", ("submit",)), ("requests", ("status", "balance")))
    )  # fmt: skip


def _unlimited(place: str, setting: str, *channels: str) -> Alteration:
    async def answered(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
        if told.status != 429 or occasion.channel not in channels:
            return told
        return await let_through(asked, serve, setting)

    return Alteration(
        operator="never", place=place, clause="LIM-2" if setting == "max_concurrent" else "LIM-1",
        when=frozenset({"limit"}), also=frozenset({"LIM-3", "LIM-1", "LIM-2"}), answer=answered,
        about=frozenset({"always", "task"}) if channels == ("submit",) else frozenset({"always"}),
    )  # fmt: skip


def _twice(place: str, is_it: Callable[[Asked, Told, Occasion], bool]) -> Alteration:
    """Count a request twice, and a download once to the key that bought the picture."""

    async def answered(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
        is_counted = is_limited(asked) or (asked.is_result and occasion.task is not None)
        if is_counted and told.status != 429 and is_it(asked, told, occasion):
            await count_once(with_key(asked, occasion.key), serve)
        return told

    return Alteration(
        operator="twice", place=f"{place}-in-the-rate", clause="LIM-1", when=frozenset({"limit"}),
        also=frozenset({"LIM-3", "LIM-4", "LIM-5"}), about=frozenset({"always"}), answer=answered,
    )  # fmt: skip


MONEY = (
    _ledger("drop", "charge", lambda task, state: -task.images if state != "failed" else 0),
    _ledger("twice", "charge", lambda task, state: task.images if state != "failed" else 0),
    _ledger("scale", "charge-per-task",
            lambda task, state: 1 - task.images if state != "failed" else 0, when="many"),
    _ledger("shift", "charge-by-one-image", lambda _, state: float(state != "failed")),
    _ledger("shift", "charge-by-a-tenth", lambda _, state: 0.1 if state != "failed" else 0),
    _ledger("never", "refund", lambda task, state: task.images if state == "failed" else 0,
            "FAIL-5", when="failed"),
    _ledger("twice", "refund", lambda task, state: -task.images if state == "failed" else 0,
            "FAIL-5", when="failed"),
    _ledger("drop", "refund-but-one-image",
            lambda task, state: task.images - 1 if state == "failed" else 0, "FAIL-5",
            when="many-failed"),
    _balance("retype", lambda value, _: str(value)),
    _balance("scale", lambda value, _: round(value * 100)),
    _balance("wrap", lambda value, _: {"balance": value}),
    _balance("negate", lambda value, _: -value),
    _balance("stale", _stale),
    Alteration(operator="twice", place="charge-of-rejected-submits", clause="BIL-1", also=_ALSO,
               when=frozenset({"balance"}), about=frozenset({"always"}),
               sums_over=_charging_rejections),
    *_retry_after("drop", lambda _: None),
    *_retry_after("shift", lambda value: b"%d" % (value + 1)),
    *_retry_after("shift-back", lambda value: b"%d" % max(1, value - 1)),
    *_retry_after("scale", lambda value: b"%d" % (value * 1000)),
    *_retry_after("retype", lambda value: b"%d.0" % value),
    *_retry_after("zero", lambda _: b"0"),
    _unlimited("rate-of-submits", "rate_limit", "submit"),
    _unlimited("rate-of-status-requests", "rate_limit", "status"),
    _unlimited("rate-of-balances", "rate_limit", "balance"),
    _unlimited("limit-of-tasks", "max_concurrent", "submit"),
    _twice("submits", lambda asked, _, __: asked.is_submit),
    _twice("status-requests", lambda asked, _, __: asked.is_status),
    _twice("balances", lambda _, __, occasion: occasion.channel == "balance"),
    _twice("rejected-requests", lambda _, told, __: told.status >= 400),
    _twice("downloads", lambda asked, _, __: asked.is_result),
)  # fmt: skip
