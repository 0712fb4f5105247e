"""One scenario of many tasks that are in progress together, for servers without a control plane.

All tasks are submitted at once and end in the time of about one generation.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from contract_tests.server.traffic import steps
from contract_tests.server.traffic.array import Row
from contract_tests.server.traffic.bodies import INVALID, body_of, simple_body
from contract_tests.server.traffic.scenarios import Scenario, reactions_of
from contract_tests.server.traffic.setup import Setup

_PICTURE_EVERY: Final = 6  # Tasks per download: drawing a picture is slow.
_RETRY_S: Final = 31.0  # The first retry of a callback is due (CB-3).


def scenario_together(rows: Sequence[Row], *, has_other_key: bool) -> Scenario:
    """Return the scenario of these rows; without another key, its steps are left out."""
    keys = ("own", "other") if has_other_key else ("own",)
    played = [step for step in _steps(rows) if has_other_key or _key_of(step) != "other"]
    return Scenario(setup=Setup(keys=keys), steps=tuple(played))


def _steps(rows: Sequence[Row]) -> Iterator[steps.Step]:
    names = [f"task-{number}" for number in range(len(rows))]
    yield steps.ReadBalance()
    for number, row in enumerate(rows):
        yield _submit(names[number], row, number)
        yield from _others(names[number], row, number)
    yield from (steps.Poll(task=name) for name in names)
    yield steps.PassTime(seconds=0.5)
    yield from (steps.Poll(task=name) for name in names)
    for name in names:
        yield steps.PassToEnd(task=name)
        yield steps.Poll(task=name)
    yield steps.ReadBalance()
    for number, (name, row) in enumerate(zip(names, rows, strict=True)):
        yield steps.CheckCallbacks(task=name)
        yield from _others(name, row, number)
        if number % _PICTURE_EVERY == 0:
            yield steps.Download(task=name, index=number)
    if any(row["receiver"] == "rejects" for row in rows):
        yield steps.PassTime(seconds=_RETRY_S)
    for name in names:
        yield steps.Poll(task=name)
        yield steps.CheckCallbacks(task=name)
    yield steps.ReadBalance()


def _submit(name: str, row: Row, number: int) -> steps.Submit:
    body, references = body_of(row, number)
    return steps.Submit(
        task=name,
        body=body,
        receiver="" if row["receiver"] == "none" else "kit",
        reactions=reactions_of(row["receiver"], number),
        references=references,
        is_moderated=row["prompt"] == "moderated",
    )


def _others(name: str, row: Row, number: int) -> Iterator[steps.Step]:
    """Yield what others do: before the end, and again after it."""
    if row["actor"] == "other-key-submits":
        yield steps.Submit(task=f"theirs-of-{name}", body=simple_body(), key="other")
    elif row["actor"] == "other-key-reads":
        yield steps.Poll(task=name, key="other")
        yield steps.Poll(task=name, key="none")
    elif row["actor"] == "rejected-submit":
        yield steps.Submit(task=f"invalid-{name}", body=INVALID[number % len(INVALID)])


def _key_of(step: steps.Step) -> object:
    return msgspec.structs.asdict(step).get("key")
