"""One scenario of many tasks that are in progress together, for servers without a control plane.

All tasks are submitted at once and end in the time of about one generation.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from contract_tests.server.traffic import steps
from contract_tests.server.traffic.array import Row, covering_array
from contract_tests.server.traffic.bodies import DEFECTS, simple_body
from contract_tests.server.traffic.factors import REAL_TIME_SPACE, REJECTING, STRICT_SPACE
from contract_tests.server.traffic.scenarios import Scenario, submit_of
from contract_tests.server.traffic.setup import Setup

_PICTURE_EVERY: Final = 6  # Tasks per download: drawing a picture is slow.
_POLLED_OFTEN_EVERY: Final = 4  # Tasks: these are polled again and again before they end.
_RETRY_S: Final = 31.0  # The first retry of a callback is due (CB-3).
_PAIRS: Final = 2
_Tasks: TypeAlias = Sequence[tuple[str, Row]]
_TIMES: Final = 2  # Others act before the end of a task, and after it.


def rows_together(seed: int) -> list[Row]:
    """Return rows that cover all pairs, and all pairs also without those that are optional."""
    firm = covering_array(STRICT_SPACE, _PAIRS, seed=seed)
    return covering_array(REAL_TIME_SPACE, _PAIRS, seed=seed, first=firm)


def scenario_together(rows: Sequence[Row], *, has_other_key: bool) -> Scenario:
    """Return the scenario of these rows; without another key, its steps are left out."""
    keys = ("own", "other") if has_other_key else ("own",)
    played = [step for step in _steps(rows) if has_other_key or _key_of(step) != "other"]
    return Scenario(setup=Setup(keys=keys), steps=tuple(played))


def _steps(rows: Sequence[Row]) -> Iterator[steps.Step]:
    tasks = [(f"task-{number}", row) for number, row in enumerate(rows)]
    yield steps.ReadBalance()
    yield steps.ReadBalance(key="other")
    yield from _in_progress(tasks)
    yield from _ended(tasks)
    if any(row["receiver"] in REJECTING for row in rows):
        yield steps.PassTime(seconds=_RETRY_S)
    yield from _much_later(tasks)


def _in_progress(tasks: _Tasks) -> Iterator[steps.Step]:
    for number, (name, row) in enumerate(tasks):
        yield submit_of(row, number, task=name)
        if number % _POLLED_OFTEN_EVERY == 0:
            yield from [steps.Poll(task=name)] * 3
        yield steps.ReadBalance()
        yield from _others(name, row, number, time=0)
    yield from (steps.Poll(task=name) for name, _ in tasks)
    yield steps.PassTime(seconds=0.5)
    yield from (steps.Poll(task=name) for name, _ in tasks)


def _ended(tasks: _Tasks) -> Iterator[steps.Step]:
    for name, _ in tasks:
        yield steps.PassToEnd(task=name)
        yield steps.Poll(task=name)
    yield steps.ReadBalance()
    for number, (name, row) in enumerate(tasks):
        yield steps.CheckCallbacks(task=name)
        yield from _others(name, row, number, time=1)
        if number % _PICTURE_EVERY == 0:
            yield steps.Download(task=name, index=number)


def _much_later(tasks: _Tasks) -> Iterator[steps.Step]:
    for number, (name, row) in enumerate(tasks):
        yield steps.Poll(task=name)
        yield steps.CheckCallbacks(task=name)
        if number % _PICTURE_EVERY == 0:
            yield steps.Download(task=name, index=number)
        if row["actor"] == "other-key-submits":
            for time in range(_TIMES):
                yield steps.PassToEnd(task=f"theirs-{time}-of-{name}")
                yield steps.Poll(task=f"theirs-{time}-of-{name}")
    yield steps.ReadBalance()
    # All tasks of the other key succeed, so its balance tells the price of an image.
    yield steps.ReadBalance(key="other")


def _others(name: str, row: Row, number: int, *, time: int) -> Iterator[steps.Step]:
    """Yield what others do before the end (time 0), or after it (time 1).

    An invalid submit differs from the one of the row by one defect, so that each defect is
    combined with all that the row has: half of the defects each time.
    """
    if row["actor"] == "other-key-submits":
        yield steps.Submit(task=f"theirs-{time}-of-{name}", body=simple_body(), key="other")
    elif row["actor"] == "other-key-reads":
        yield steps.Poll(task=name, key="other")
        yield steps.Poll(task=name, key="none")
    elif row["actor"] == "rejected-submit":
        for place in range(time, len(DEFECTS), _TIMES):
            task = f"invalid-{place}-{name}"
            yield submit_of(row, number, task=task, defect=DEFECTS[place])


def values_of(row: Row) -> Row:
    """Return the values of a row as the factors of all scenarios name them."""
    is_rejecting = row["receiver"] in REJECTING
    return {**row, "receiver": "rejects"} if is_rejecting else row


def _key_of(step: steps.Step) -> object:
    return msgspec.structs.asdict(step).get("key")
