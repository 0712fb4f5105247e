"""TIM: how long a generation takes."""

from statistics import mean
from typing import Final

from contract_tests.case import Case, Time
from contract_tests.cases.status import data_of
from contract_tests.probe import NotExercised, Probe

_TASKS: Final = 80
_NEAR: Final = 0.2  # by which the average of so many tasks may miss


def _lives_s(probe: Probe, count: int) -> list[float]:
    ids = [probe.task() for _ in range(count)]
    lives = []
    for task_id in ids:
        data = data_of(probe.ended(task_id))
        created_ms, ended_ms = data.get("createTime"), data.get("completeTime")
        if type(created_ms) is not int or type(ended_ms) is not int:
            raise NotExercised("the task does not tell its times")
        lives.append((ended_ms - created_ms) / 1000)
    return lives


def _average(probe: Probe) -> None:
    configured_s = float((probe.target.settings or {}).get("generation_time", 30.0))
    lives = _lives_s(probe, _TASKS)
    probe.check(
        "TIM-1",
        abs(mean(lives) - configured_s) <= configured_s * _NEAR,
        expected=f"about {configured_s:g} s on average over {_TASKS} tasks",
        seen=f"{mean(lives):.1f} s on average, from {min(lives):.1f} to {max(lives):.1f} s",
    )
    if configured_s:
        probe.check(
            "TIM-1",
            len(set(lives)) > _TASKS / 2,
            expected="an average: not every task takes the same time",
            seen=f"{len(set(lives))} different durations",
        )


def _one(probe: Probe) -> None:
    (life_s,) = _lives_s(probe, 1)
    probe.check(
        "TIM-1",
        5 <= life_s <= 150,
        expected="about 30 s, as one of many that take 30 s on average",
        seen=f"{life_s:.1f} s",
    )


CASES = (
    Case(
        id="S-TIM-001", title="tasks take about 30 s on average", clauses=("TIM-1",),
        sends=f"{_TASKS} tasks, followed to their end", expects="30 s on average, or as configured",
        run=_average, images=_TASKS, worst_images=_TASKS, needs_control=True,
    ),
    Case(
        id="S-TIM-002", title="a task takes a time that fits", clauses=("TIM-1",),
        sends="a task, followed to its end", expects="between 5 and 150 s", run=_one,
        images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
)  # fmt: skip
