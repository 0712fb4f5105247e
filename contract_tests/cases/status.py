"""STA: what a status request tells, and when."""

import json
from collections.abc import Callable
from typing import Any, Final

from contract_tests.case import Case, Time
from contract_tests.cases.reading import date_s, has_ended, result_urls, state_of
from contract_tests.examples import Row, cases_of
from contract_tests.probe import FINAL, STATUS, Answer, Probe

STATES: Final = ("pending", "processing", "success", "failed")
_ENDS: Final = ("resultJson", "failCode", "failMsg", "completeTime", "costTime")
_BAD_PROMPT: Final = "a scene of gore"  # moderation ends the task, FAIL-1
_CLOCKS_DIFFER_S: Final = 300.0
_LONGEST_S: Final = 300.0
_STEP_S: Final = 3.0

Data = dict[str, Any]

_ROWS = (
    Row(
        id="S-STA-001",
        title="a status request without taskId is refused",
        clauses=("STA-1",),
        method="GET",
        path=STATUS,
        status=400,
        names=("taskId",),
        is_smoke=True,
    ),
    Row(
        id="S-STA-002",
        title="an empty taskId counts as missing",
        clauses=("STA-1",),
        method="GET",
        path=STATUS,
        query={"taskId": ""},
        status=400,
        names=("taskId",),
    ),
    Row(
        id="S-STA-003",
        title="an unknown task is not found",
        clauses=("STA-2",),
        method="GET",
        path=STATUS,
        query={"taskId": "task_00000000000000000000000000000000"},
        status=404,
        is_smoke=True,
    ),
    Row(
        id="S-STA-004",
        title="a task id of any form that nobody has is not found",
        clauses=("STA-2",),
        method="GET",
        path=STATUS,
        query={"taskId": "../..?x=1&y=%00 🦊"},
        status=404,
    ),
)


def life_of(probe: Probe, task_id: str) -> list[Answer]:
    """Poll until the task has ended; return every answer."""
    answers, waited_s = [probe.ask(task_id)], 0.0
    while not has_ended(answers[-1]) and waited_s < _LONGEST_S:
        probe.pass_time(_STEP_S)
        waited_s += _STEP_S
        answers.append(probe.ask(task_id))
    return answers


def _lives(probe: Probe) -> list[tuple[str, list[Answer]]]:
    """Live through a task that succeeds and, but for a live service, one that fails."""
    prompts = ["a red fox in the snow"]
    if not probe.target.is_live:
        prompts.append(_BAD_PROMPT)
    ids = [probe.task(prompt=prompt) for prompt in prompts]
    return [(task_id, life_of(probe, task_id)) for task_id in ids]


def data_of(answer: Answer) -> Data:
    return answer.data if isinstance(answer.data, dict) else {}


def _in_every_answer(judge: Callable[[Probe, str, Answer, Data], None]) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        for task_id, answers in _lives(probe):
            for answer in answers:
                judge(probe, task_id, answer, data_of(answer))

    return run


def _always_there(probe: Probe, task_id: str, answer: Answer, data: Data) -> None:
    probe.check(
        "STA-3",
        answer.status == 200
        and data.get("taskId") == task_id
        and isinstance(data.get("state"), str)
        and type(data.get("createTime")) is int,
        expected=f"HTTP 200 with taskId {task_id}, state and createTime",
        seen=answer,
    )


def _known_state(probe: Probe, _: str, answer: Answer, data: Data) -> None:
    probe.check(
        "STA-4", data.get("state") in STATES, expected=f"one of {', '.join(STATES)}", seen=answer
    )


def _result_at_success(probe: Probe, _: str, answer: Answer, data: Data) -> None:
    if data.get("state") != "success":
        probe.check(
            "STA-6",
            "resultJson" not in data,
            expected=f"no resultJson at {data.get('state')}",
            seen=answer,
        )
        return
    probe.check(
        "STA-6",
        isinstance(data.get("resultJson"), str) and bool(result_urls(answer)),
        expected='resultJson is a string that holds {"resultUrls": [url, …]}',
        seen=answer,
    )


def _failure_at_failed(probe: Probe, _: str, answer: Answer, data: Data) -> None:
    present = [name for name in ("failCode", "failMsg") if name in data]
    if data.get("state") == "failed":
        texts = [data.get(name) for name in ("failCode", "failMsg")]
        probe.check(
            "STA-8",
            all(isinstance(text, str) and text for text in texts),
            expected="failCode and failMsg, both texts",
            seen=answer,
        )
    else:
        probe.check(
            "STA-8",
            not present,
            expected=f"neither failCode nor failMsg at {data.get('state')}",
            seen=answer,
        )


def _times(probe: Probe, _: str, answer: Answer, data: Data) -> None:
    created_ms, ended_ms = data.get("createTime"), data.get("completeTime")
    now_s = date_s(answer)
    if type(created_ms) is int and now_s is not None:
        age_s = now_s - created_ms / 1000
        probe.check(
            "STA-9",
            -_CLOCKS_DIFFER_S <= age_s <= _LONGEST_S + _CLOCKS_DIFFER_S,
            expected="createTime in Unix milliseconds, shortly before the answer's Date",
            seen=f"createTime {created_ms}, Date {answer.response.header('Date')}",
            at=answer,
        )
    if data.get("state") not in FINAL:
        probe.check(
            "STA-9",
            "completeTime" not in data and "costTime" not in data,
            expected=f"neither completeTime nor costTime at {data.get('state')}",
            seen=answer,
        )
        return
    is_later = (
        type(created_ms) is int
        and type(ended_ms) is int
        and created_ms <= ended_ms <= created_ms + _LONGEST_S * 1000
    )
    probe.check(
        "STA-9",
        is_later and "costTime" in data,
        expected="completeTime in Unix milliseconds after createTime, and costTime",
        seen=answer,
    )


def _cost_time(probe: Probe, _: str, answer: Answer, data: Data) -> None:
    if data.get("state") not in FINAL:
        return
    cost_ms, created_ms = data.get("costTime"), data.get("createTime")
    ended_ms = data.get("completeTime")
    if type(cost_ms) is not int or type(created_ms) is not int or type(ended_ms) is not int:
        probe.check(
            "STA-10",
            False,  # noqa: FBT003  # a claim that does not hold
            expected="costTime, in whole milliseconds",
            seen=answer,
        )
        return
    life_ms = ended_ms - created_ms
    probe.check(
        "STA-10",
        0 <= cost_ms <= life_ms,
        expected="0 <= costTime <= completeTime - createTime, in milliseconds",
        seen=answer,
    )
    if life_ms > 5_000:
        probe.check(
            "STA-10",
            cost_ms >= life_ms / 10,
            expected="costTime is most of the task's life, so it is no number of seconds",
            seen=answer,
        )


def _forward(probe: Probe) -> None:
    for _, answers in _lives(probe):
        states = [state_of(answer) for answer in answers]
        ranks = [min(STATES.index(state), 2) if state in STATES else -1 for state in states]
        probe.check(
            "STA-5",
            ranks == sorted(ranks) and -1 not in ranks,
            expected="pending, then processing, then success or failed",
            seen=" ".join(str(state) for state in states),
            at=answers[-1],
        )


def _frozen(probe: Probe) -> None:
    for task_id, answers in _lives(probe):
        final = answers[-1]
        if not has_ended(final):
            continue
        for seconds in (3, 60, 86_400) if probe.target.has_control else (3,):
            probe.pass_time(seconds)
            later = probe.ask(task_id)
            probe.check(
                "STA-5",
                later.response.body == final.response.body,
                expected=f"byte for byte what it was at the end: {final.shown}",
                seen=later,
            )


def _one_address_an_image(count: int) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        answer = probe.ended(probe.task(num_images=count))
        urls = result_urls(answer)
        probe.check(
            "STA-7",
            len(urls) == count == len(set(urls)),
            expected=f"{count} different addresses",
            seen=answer,
        )

    return run


def _result_is_json(probe: Probe) -> None:
    answer = probe.ended(probe.task(num_images=2))
    written = data_of(answer).get("resultJson")
    try:
        result = json.loads(written) if isinstance(written, str) else None
    except ValueError:
        result = None
    urls = result.get("resultUrls") if isinstance(result, dict) else None
    probe.check(
        "STA-6",
        isinstance(urls, list) and all(isinstance(url, str) and "://" in url for url in urls),
        expected='a string that holds {"resultUrls": [url, url]}',
        seen=answer,
    )


def _other_model(probe: Probe) -> None:
    task_id = probe.task()
    answer = probe.send("GET", "/api/v1/statusTask/no-such-model", query={"taskId": task_id})
    probe.check(
        "STA-11", answer.status == 404, expected="HTTP 404 on another model's path", seen=answer
    )


def _watched(
    number: int, title: str, clause: str, expects: str, judge: Any, *, is_smoke: bool = False
) -> Case:
    return Case(
        id=f"S-STA-{number:03}",
        title=title,
        clauses=(clause,),
        sends="a task that succeeds, one that fails, and status requests until they have ended",
        expects=expects,
        run=_in_every_answer(judge),
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        is_smoke=is_smoke,
    )


CASES = (
    *cases_of(_ROWS),
    _watched(5, "every answer has taskId, state and createTime", "STA-3",
             "HTTP 200 with all three", _always_there, is_smoke=True),
    _watched(6, "only four states are seen", "STA-4", "one of them", _known_state),
    _watched(7, "resultJson is there at success only", "STA-6",
             "a string that holds JSON; nothing elsewhere", _result_at_success, is_smoke=True),
    _watched(8, "failCode and failMsg are there at failed only", "STA-8",
             "two texts; nothing elsewhere", _failure_at_failed),
    _watched(9, "times are Unix milliseconds, the later ones at the end only", "STA-9",
             "createTime always, completeTime and costTime at the end", _times, is_smoke=True),
    _watched(10, "costTime lies within the task's life", "STA-10",
             "0 <= costTime <= completeTime - createTime", _cost_time),
    Case(
        id="S-STA-011", title="states only move forward", clauses=("STA-5",),
        sends="tasks, polled every 3 s", expects="pending, processing, then an end",
        run=_forward, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-STA-012", title="a final answer never changes", clauses=("STA-5",),
        sends="tasks, asked for again long after their end", expects="the same bytes",
        run=_frozen, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
    *(
        Case(
            id=f"S-STA-{12 + count:03}", title=f"{count} images, {count} addresses",
            clauses=("STA-7",), sends=f"a task of {count} images", expects=f"{count} addresses",
            run=_one_address_an_image(count), images=count, worst_images=count,
            time=Time.ONE_GENERATION, is_smoke=count == 1,
        )
        for count in (1, 2, 4)
    ),
    Case(
        id="S-STA-017", title="resultJson holds addresses", clauses=("STA-6",),
        sends="a task of two images", expects="JSON in a string, with two addresses",
        run=_result_is_json, images=2, worst_images=2, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-STA-018", title="a task is not found on another model's path",
        clauses=("STA-11",), sends="a submit, and a status request on another model's path",
        expects="HTTP 404", run=_other_model, images=1, worst_images=1,
    ),
)  # fmt: skip
