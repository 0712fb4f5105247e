"""STA: the members of a status response, checked in every response until the task is final."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, Final

from contract_tests.contract.provider import FINAL
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import FailedAtOnce, PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.progress import STATES, Progress, generation_max_s
from contract_tests.server.reading import data_of, date_s, has_ended, result_urls, state_of

_UNREACHABLE: Final = "https://nothing.invalid/fox.png"  # The task fails (FAIL-2).
_STEP_S: Final = 3.0
_MILLISECONDS: Final = range(10**12, 10**13)  # The years 2001 to 2286.
_SKEW_S: Final = 15.0  # The maximum difference of Date and the task's times.
_LIVE_SKEW_S: Final = 300.0  # They may come from different machines.

Judge = Callable[[Probe, str, Answer, dict[str, Any]], None]


def lives(
    probe: Probe, *, with_failure: bool, needs_failure: bool = False
) -> list[tuple[str, list[Answer]]]:
    """Poll a task that succeeds and one that fails until final; return all responses.

    A task that never becomes final is recorded, and its responses are returned. If the submit
    itself fails (FAIL-6), there is no task that fails. With `needs_failure` this raises
    FailedAtOnce.
    """
    ids = [probe.submit_task()]
    if with_failure:
        with nullcontext() if needs_failure else suppress(FailedAtOnce):
            ids.append(probe.submit_task(image_urls=[_UNREACHABLE]))
    followed: dict[str, list[Answer]] = {task_id: [] for task_id in ids}
    progress = {task_id: Progress(probe) for task_id in ids}
    live, waited_s = list(ids), 0.0
    while True:
        for task_id in live:
            followed[task_id].append(probe.read_status(task_id))
            progress[task_id].see(followed[task_id][-1])
        live = [task_id for task_id in live if not has_ended(followed[task_id][-1])]
        is_late = waited_s >= generation_max_s(probe.target)
        for task_id in [each for each in live if is_late or progress[each].is_over]:
            progress[task_id].give_up()
            live.remove(task_id)
        if not live:
            return list(followed.items())
        probe.pass_time(_STEP_S)
        waited_s += _STEP_S


def _in_every_answer(judge: Judge, *, buys_failure: bool) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        with_failure = buys_failure or not probe.target.is_live
        followed = lives(probe, with_failure=with_failure, needs_failure=buys_failure)
        for task_id, answers in followed:
            for answer in answers:
                judge(probe, task_id, answer, data_of(answer))
        for (_, answers), end in zip(followed, ("success", "failed"), strict=False):
            if state_of(answers[-1]) != end:
                raise PreconditionNotMet(
                    f"no task was seen that ends in {end}: {answers[-1].shown}"
                )

    return run


def _has(probe: Probe, data: dict[str, Any], name: str) -> bool:
    """Return whether a member is present; on a live service null counts as absent."""
    return data.get(name) is not None if probe.target.is_live else name in data


def _always_there(probe: Probe, task_id: str, answer: Answer, data: dict[str, Any]) -> None:
    probe.check(
        "STA-3",
        answer.status == 200
        and data.get("taskId") == task_id
        and isinstance(data.get("state"), str)
        and type(data.get("createTime")) is int,
        expected=f"HTTP 200 with taskId {task_id}, state and createTime",
        seen=answer,
    )


def _known_state(probe: Probe, _: str, answer: Answer, data: dict[str, Any]) -> None:
    probe.check(
        "STA-4", data.get("state") in STATES, expected=f"one of {', '.join(STATES)}", seen=answer
    )


def _result_at_success(probe: Probe, _: str, answer: Answer, data: dict[str, Any]) -> None:
    if data.get("state") == "success":
        holds = isinstance(data.get("resultJson"), str) and bool(result_urls(answer))
        expected = 'resultJson is a string that contains {"resultUrls": [url, …]}'
    else:
        holds = not _has(probe, data, "resultJson")
        expected = f"no resultJson at {data.get('state')}"
    probe.check("STA-6", holds, expected=expected, seen=answer)


def _failure_at_failed(probe: Probe, _: str, answer: Answer, data: dict[str, Any]) -> None:
    names = ("failCode", "failMsg")
    if data.get("state") == "failed":
        texts = [data.get(name) for name in names]
        holds = all(isinstance(text, str) and text for text in texts)
        expected = "failCode and failMsg, both texts"
    else:
        holds = not any(_has(probe, data, name) for name in names)
        expected = f"neither failCode nor failMsg at {data.get('state')}"
    probe.check("STA-8", holds, expected=expected, seen=answer)


def _times(probe: Probe, _: str, answer: Answer, data: dict[str, Any]) -> None:
    created_ms = data.get("createTime")
    skew_s = _LIVE_SKEW_S if probe.target.is_live else _SKEW_S
    date = answer.response.header("Date")
    age_s = _age_s(answer, created_ms)
    probe.check(
        "STA-9",
        type(created_ms) is int
        and created_ms in _MILLISECONDS
        and (age_s is None or -skew_s <= age_s <= generation_max_s(probe.target) + skew_s),
        expected="createTime in Unix milliseconds, shortly before the Date of the response",
        seen=f"createTime {created_ms!r}, Date {date}",
        at=answer,
    )
    names = ("completeTime", "costTime")
    if data.get("state") not in FINAL:
        probe.check(
            "STA-9",
            not any(_has(probe, data, name) for name in names),
            expected=f"neither completeTime nor costTime at {data.get('state')}",
            seen=answer,
        )
        return
    ended_ms = data.get("completeTime")
    age_s = _age_s(answer, ended_ms)
    probe.check(
        "STA-9",
        type(created_ms) is int
        and type(ended_ms) is int
        and created_ms <= ended_ms <= created_ms + generation_max_s(probe.target) * 1000
        and (age_s is None or -skew_s <= age_s <= _STEP_S + skew_s)
        and _has(probe, data, "costTime"),
        expected="completeTime in Unix milliseconds, after createTime and just before the"
        f" answer's Date, {date}; and costTime",
        seen=answer,
    )


def _age_s(answer: Answer, instant_ms: object) -> float | None:
    """Return how long before the answer's Date an instant was, or None if unknown."""
    now_s = date_s(answer)
    return now_s - instant_ms / 1000 if now_s and type(instant_ms) is int else None


def _cost_time(probe: Probe, _: str, answer: Answer, data: dict[str, Any]) -> None:
    if data.get("state") not in FINAL:
        return
    cost_ms, created_ms = data.get("costTime"), data.get("createTime")
    ended_ms = data.get("completeTime")
    is_choice = False
    if type(cost_ms) is not int or type(created_ms) is not int or type(ended_ms) is not int:
        holds, expected = False, "costTime, in whole milliseconds"
    elif probe.target.is_live:  # The upper bound is our choice.
        holds, expected = cost_ms >= (ended_ms - created_ms) / 100, "costTime in milliseconds"
    else:
        life_ms = ended_ms - created_ms
        # Pending is a small part of the whole, and a value in seconds would be a thousandth.
        least_ms = life_ms / 10 if life_ms > 5_000 else 0
        holds = least_ms <= cost_ms <= life_ms
        expected = f"costTime in milliseconds: from {least_ms:g} to {life_ms}, the total duration"
        is_choice = cost_ms > life_ms
    probe.check("STA-10", holds, expected=expected, seen=answer, is_choice=is_choice)


def _watched(
    number: int,
    title: str,
    clause: str,
    expects: str,
    judge: Judge,
    *,
    is_smoke: bool = False,
    buys_failure: bool = False,
) -> Case:
    return Case(
        id=f"S-STA-{number:03}",
        title=title,
        clauses=(clause,),
        sends="a task that succeeds, one that fails, and status requests until they have ended",
        expects=expects,
        run=_in_every_answer(judge, buys_failure=buys_failure),
        images=1,
        worst_images=2 if buys_failure else 1,
        time=Time.ONE_GENERATION,
        is_smoke=is_smoke,
    )


CASES = (
    _watched(5, "every response has taskId, state and createTime", "STA-3",
             "HTTP 200 with all three", _always_there, is_smoke=True),
    _watched(6, "the state is one of four", "STA-4", "a documented state", _known_state),
    _watched(7, "only a success has resultJson", "STA-6",
             "a string that contains JSON; no member in other states", _result_at_success,
             is_smoke=True),
    _watched(8, "only a failure has failCode and failMsg", "STA-8",
             "two strings; no members in other states", _failure_at_failed, buys_failure=True),
    _watched(9, "times are Unix milliseconds, the later ones in final states only", "STA-9",
             "createTime always, completeTime and costTime in final states", _times, is_smoke=True),
    _watched(10, "costTime is at most the total duration", "STA-10",
             "0 <= costTime <= completeTime - createTime, in milliseconds", _cost_time),
)  # fmt: skip
