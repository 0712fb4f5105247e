"""STA-9: the times of a task agree with Date, which tells the time of the server's own clock."""

from typing import Final

from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.progress import Progress, generation_max_s
from contract_tests.server.reading import data_of, date_s, has_ended, task_id_of

_STEP_S: Final = 3.0
_ROUNDED_S: Final = 2.0  # Date has whole seconds, and some servers compute it once a second.
_LIVE_S: Final = 300.0  # A live service may have several machines, and a proxy may add Date.


def _dates(probe: Probe) -> None:
    submitted = probe.submit()
    task_id = task_id_of(submitted)
    if task_id is None:
        raise PreconditionNotMet(f"the submit was not accepted: {submitted.shown}")
    last_live, ended = submitted, _ended(probe, task_id)
    for answer in ended[:-1]:
        last_live = answer
    final = data_of(ended[-1])
    _judge(probe, "createTime", final.get("createTime"), submitted, submitted)
    _judge(probe, "completeTime", final.get("completeTime"), last_live, ended[-1])


def _ended(probe: Probe, task_id: str) -> list[Answer]:
    """Poll until the task is final; return all answers."""
    answers, progress, waited_s = [probe.read_status(task_id)], Progress(probe), 0.0
    while not has_ended(answers[-1]):
        progress.see(answers[-1])
        if progress.is_over or waited_s >= generation_max_s(probe.target):
            raise PreconditionNotMet(progress.give_up())
        probe.pass_time(_STEP_S)
        waited_s += _STEP_S
        answers.append(probe.read_status(task_id))
    return answers


def _judge(probe: Probe, name: str, instant_ms: object, first: Answer, last: Answer) -> None:
    """Require an instant from the Date of one response to that of another."""
    low_s, high_s = date_s(first), date_s(last)
    if low_s is None or high_s is None:
        raise PreconditionNotMet("the responses have no Date")
    exact_s = _LIVE_S if probe.target.is_live else _ROUNDED_S
    low_s -= exact_s + _took_s(first)
    high_s += exact_s + _took_s(last)
    probe.check(
        "STA-9",
        type(instant_ms) is int and low_s * 1000 <= instant_ms <= high_s * 1000,
        expected=f"{name} in milliseconds, from {low_s * 1000:.0f} to {high_s * 1000:.0f} by the"
        " Date of the responses",
        seen=f"{name} {instant_ms!r}",
        at=last,
    )


def _took_s(answer: Answer) -> float:
    """Return how long the exchange took: on a busy machine, Date may be that much off."""
    return max(0, answer.response.answered_ms - answer.response.sent_ms) / 1000


CASES = (
    Case(
        id="S-STA-019", title="the times of a task agree with the Date of the responses",
        clauses=("STA-9",), sends="a submit, and status requests every 3 s",
        expects="createTime at the Date of the submit, completeTime between those of two polls",
        run=_dates, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
)  # fmt: skip
