"""A snapshot with a value that the mock cannot have written is rejected; the error says where."""

import json
import re
import tracemalloc
from typing import Any
from unittest import mock

import pytest

from mock_server.domain.command_codec import decode_commands, encode_commands
from mock_server.domain.commands import AddRule, PushNext, Restore
from mock_server.domain.errors import InvalidValue
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.snapshot import parse_snapshot, parsing_steps
from tests.mock_server.domain.checkpoints import saved
from tests.mock_server.domain.driven import DEFAULTS, ID, Driven, run
from tests.mock_server.domain.steps import callback_task, deliver, record
from tests.mock_server.domain.strategies import CATALOGUE, NOW_MS


def document() -> Any:
    """Return a snapshot with a task, a delivery, a journal entry, a rule and a queued rule."""
    driven = run(Driven(), [callback_task(0), deliver(DeliveryResult(status=500)), record(200)])
    written = {"apply": {"refuse": {"status": 429}}, "match": {"prompt": "x", "times_each": 2}}
    rule = parse_rule(written, "", CATALOGUE.fail_messages)
    driven.apply(AddRule, definition=rule)
    driven.apply(PushNext, definition=rule, count=2)
    return json.loads(driven.document())


def changed(path: str, value: object) -> bytes:
    snapshot = document()
    holder, steps = snapshot, path.split(".")
    for step in steps[:-1]:
        holder = holder[int(step) if step.isdecimal() else step]
    holder[int(steps[-1]) if steps[-1].isdecimal() else steps[-1]] = value
    return json.dumps(snapshot).encode()


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("origin", f"{ID}\n", "origin"),
        ("admitted_ms", [2**62], "admitted_ms[0]"),
        ("ordinal", 0, "tasks[0].ordinal"),
        ("responses", {"1000": 1}, "responses"),
        ("responses", {str(2**70): 1}, "responses"),
        ("settings.generation_time_ms", 2**62, "settings.generation_time_ms"),
        ("settings.profile", "x" * 100_000, "settings.profile"),
        ("tasks.0.base_url", "javascript:alert(1)", "tasks[0].base_url"),
        ("tasks.0.base_url", "http://mock\n", "tasks[0].base_url"),
        ("tasks.0.base_url", 'http://mock/"><script>', "tasks[0].base_url"),
        ("tasks.0.callback_url", "file:///etc/passwd", "tasks[0].callback_url"),
        ("tasks.0.prompt", "x" * 2_000_000, "tasks[0].prompt"),
        ("tasks.0.price_microusd", -1, "tasks[0].price_microusd"),
        ("tasks.0.plan.end_ms", None, "tasks[0].plan.end_ms"),
        ("tasks.0.plan.start_ms", -1, "tasks[0].plan.start_ms"),
        ("tasks.0.plan.fail_code", "NO\r\nX-More: 1", "tasks[0].plan.fail_code"),
        ("tasks.0.plan.reasons", ["x"] * 1001, "tasks[0].plan.reasons"),
        ("deliveries.0.url", "http://127.0.0.1/\n", "deliveries[0].url"),
        ("deliveries.0.put_off_by", ["rule-1\r\n", ""], "deliveries[0].put_off_by[0]"),
        ("deliveries.0.put_off_by", ["rule-1", "callback drop"], "deliveries[0].put_off_by[1]"),
        ("deliveries.0.attempts.0.status", 1000, "deliveries[0].attempts[0].status"),
        ("journal.0.real_ms", 2**53, "journal[0].real_ms"),
        ("journal.0.real_ms", -1, "journal[0].real_ms"),
        ("journal.0.rule", "x" * 101, "journal[0].rule"),
        ("journal.0.request", "A" * 2_000_000, "journal[0].request"),
        ("rules.own.0.id", "rule\r\nX-More: 1", "rules.own[0].id"),
        ("rules.own.0.id", "x" * 100_000, "rules.own[0].id"),
        ("rules.own.0.hits", {"x" * 2_000_000: 1}, "rules.own[0].hits"),
        ("rules.own.0.hits", {"x": -1}, "rules.own[0].hits.x"),
        ("rules.queue.0.left", 0, "rules.queue[0].left"),
        ("rules.queue.0.id", "é", "rules.queue[0].id"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_value_out_of_bounds_is_rejected_with_its_path(path: str, value: Any, where: str) -> None:
    with pytest.raises(InvalidValue) as error:
        parse_snapshot(changed(path, value), CATALOGUE)

    assert error.value.path == where
    assert len(str(error.value)) < 1000


def test_two_deliveries_of_one_task_are_rejected() -> None:
    snapshot = document()
    with pytest.raises(InvalidValue) as error:
        parse_snapshot(changed("deliveries", snapshot["deliveries"] * 2), CATALOGUE)
    assert error.value.path == "deliveries[1].task_id"


def test_prices_whose_sum_no_store_can_keep_are_rejected() -> None:
    """Refunds of failed tasks would exceed 64 bits."""
    [task] = document()["tasks"]
    other = task | {"id": task["id"][:-1] + ("0" if task["id"][-1] != "0" else "1")}
    tasks = [each | {"price_microusd": 2**62} for each in (task, other)]
    with pytest.raises(InvalidValue) as error:
        parse_snapshot(changed("tasks", tasks), CATALOGUE)
    assert error.value.path == "tasks"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("balance_microusd", 2**62),
        ("balance_microusd", -(2**62)),
        ("tasks.0.price_microusd", 2**62),
        ("tasks.0.plan.start_ms", 0),
        ("ordinal", 2**62),
        ("journal.0.duration_us", -(2**62)),
        ("rules.made", 2**62),
        ("journal_dropped", 2**62),
    ],
)
def test_extreme_value_within_bounds_can_be_stored(path: str, value: int) -> None:
    """A store would lose the sandbox if a log or a checkpoint could not be written or read."""
    restored = Restore(real_ms=NOW_MS, snapshot=parse_snapshot(changed(path, value), CATALOGUE))
    [again] = decode_commands(encode_commands([restored]))
    sandbox = Sandbox(ID, DEFAULTS, is_broke=False, real_ms=NOW_MS)
    sandbox.apply(again)

    assert saved(Sandbox.of_checkpoint(saved(sandbox), DEFAULTS)) == saved(sandbox)


def test_long_snapshot_is_read_in_steps() -> None:
    """Other requests are served between the steps."""
    entries = document()["journal"] * 1_000

    steps = parsing_steps(changed("journal", entries), CATALOGUE)

    assert sum(1 for _ in steps) >= len(entries) / 100


def test_regular_expressions_of_a_snapshot_are_compiled_in_steps_and_once() -> None:
    """Before, 4,000 of them stopped all requests for a minute."""
    snapshot = document()
    [queued] = snapshot["rules"]["queue"]
    queued["written"]["match"] = {"prompt_regex": "fox|cat"}
    snapshot["rules"]["queue"] *= 100

    with mock.patch.object(re, "compile", wraps=re.compile) as compiled:
        steps = parsing_steps(json.dumps(snapshot).encode(), CATALOGUE)
        assert sum(1 for _ in steps) > 100
        sandbox = Sandbox(ID, DEFAULTS, is_broke=False, real_ms=NOW_MS)
        restored = parse_snapshot(json.dumps(snapshot).encode(), CATALOGUE)
        parsed = compiled.call_count
        sandbox.apply(Restore(real_ms=NOW_MS, snapshot=restored))

    assert parsed == 200
    assert compiled.call_count == parsed


def test_snapshot_with_too_large_rules_is_rejected() -> None:
    snapshot = document()
    [queued] = snapshot["rules"]["queue"]
    queued["written"]["match"] = {"operation": "submit", "prompt": "x" * 9_000}
    snapshot["rules"]["queue"] *= 1_000

    with pytest.raises(InvalidValue, match=r"rules\.queue: must use at most 32 MiB"):
        parse_snapshot(json.dumps(snapshot).encode(), CATALOGUE)


@pytest.mark.parametrize(("path", "item"), [("tasks", 0), ("journal", []), ("deliveries", {})])
def test_long_list_of_invalid_items_needs_little_memory(path: str, item: object) -> None:
    raw = changed(path, [item] * 200_000)

    tracemalloc.start()
    try:
        with pytest.raises(InvalidValue):
            parse_snapshot(raw, CATALOGUE)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 8 * len(raw)
