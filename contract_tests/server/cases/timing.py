"""TIM: the duration of a generation."""

from statistics import mean
from typing import Final

from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import data_of

_TASKS: Final = 80
_NEAR: Final = 0.2  # The tolerance of the average.


def _lives_s(probe: Probe, count: int) -> list[float]:
    ids = [probe.submit_task() for _ in range(count)]
    lives = []
    for task_id in ids:
        data = data_of(probe.poll_until_final(task_id))
        created_ms, ended_ms = data.get("createTime"), data.get("completeTime")
        if type(created_ms) is not int or type(ended_ms) is not int:
            raise PreconditionNotMet("the status response does not have the task's times")
        lives.append((ended_ms - created_ms) / 1000)
    return lives


def _configured_s(probe: Probe) -> float:
    return float((probe.target.settings or {}).get("generation_time", 30.0))


def _average(probe: Probe) -> None:
    probe.change_settings(rate_limit=10_000, max_concurrent=1000, balance=100_000)
    configured_s = _configured_s(probe)
    lives = _lives_s(probe, _TASKS)
    probe.check(
        "TIM-1",
        abs(mean(lives) - configured_s) <= configured_s * _NEAR,
        expected=f"about {configured_s:g} s on average over {_TASKS} tasks",
        seen=f"{mean(lives):.1f} s on average, from {min(lives):.1f} to {max(lives):.1f} s",
    )


def _one(probe: Probe) -> None:
    """Check one task, which may take from a sixth to five times the average."""
    configured_s = _configured_s(probe)
    (life_s,) = _lives_s(probe, 1)
    is_for_tests = not probe.target.has_control and not probe.target.is_live
    if is_for_tests and life_s < configured_s / 6:
        raise CaseSkipped("the server is much faster than the service, as servers for tests are")
    probe.check(
        "TIM-1",
        configured_s / 6 <= life_s <= configured_s * 5,
        expected=f"a plausible duration for an average of {configured_s:g} s",
        seen=f"{life_s:.1f} s",
    )


CASES = (
    Case(
        id="S-TIM-001", title="tasks take about 30 s on average", clauses=("TIM-1",),
        sends=f"{_TASKS} tasks, polled until final", expects="30 s on average, or as configured",
        run=_average, images=_TASKS, worst_images=_TASKS, needs_control=True,
    ),
    Case(
        id="S-TIM-002", title="a task takes a plausible time", clauses=("TIM-1",),
        sends="a task, polled until final", expects="between 5 and 150 s, or the configured time",
        run=_one, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
)  # fmt: skip
