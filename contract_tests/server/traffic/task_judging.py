"""Compares the status of a task and its callbacks with what the model expects."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.server.answer import Answer
from contract_tests.server.model.tasks import ENDS, RANKS, KnownTask
from contract_tests.server.reading import canonical, data_of, result_urls
from contract_tests.server.traffic.claims import Claim

_SHOWN: Final = 300  # bytes of an expected body
_FIRM: Final = (  # Which members belong to which states.
    ("STA-6", ("resultJson",), ("success",)),
    ("STA-8", ("failCode", "failMsg"), ("failed",)),
    ("STA-9", ("completeTime", "costTime"), ("success", "failed")),
)


def judge_task(
    task: KnownTask, answer: Answer, now_ms: int | None, *, is_lenient: bool
) -> Iterator[Claim]:
    """Compare the answer to a status request with HTTP 200. `is_lenient` takes null for absent."""
    if task.final is not None:
        shown = task.final[:_SHOWN].decode("utf-8", "replace")
        yield Claim(
            clause="STA-5",
            holds=answer.response.body == task.final
            or (is_lenient and canonical(answer.response.body) == canonical(task.final)),
            expected=f"the final response never changes: {shown}",
            python="answer.content == final",
        )
        return
    data = data_of(answer)
    state = data.get("state")
    yield Claim(
        clause="STA-3",
        holds=data.get("taskId") == task.id and isinstance(state, str) and "createTime" in data,
        expected="taskId as requested, state and createTime",
        python='{"taskId", "state", "createTime"} <= data.keys() and data["taskId"] == task_id',
    )
    if not isinstance(state, str):
        return
    yield Claim(
        clause="STA-4",
        holds=state in RANKS,
        expected=f"a state of {', '.join(RANKS)}",
        python=f'data["state"] in {list(RANKS)}',
    )
    if state not in RANKS:
        return
    yield from _judge_state(task, state, now_ms)
    yield from _judge_created(task, data)
    has = {name for name, value in data.items() if value is not None or not is_lenient}
    for clause, names, states in _FIRM:
        is_there = state in states
        found = has & set(names)
        yield Claim(
            clause=clause,
            holds=found == (set(names) if is_there else set()),
            expected=f"{' and '.join(names)} {'' if is_there else 'not '}at {state}",
            python=f"({set(names)} & data.keys()) == {set(names) if is_there else 'set()'}",
        )
    if state == "success":
        urls = result_urls(answer)
        yield Claim(
            clause="STA-7",
            holds=len(urls) == len(set(urls)) == task.images,
            expected=f"{task.images} different addresses",
            python=f'len(set(json.loads(data["resultJson"])["resultUrls"])) == {task.images}',
            is_choice=task.has_default_images and len(urls) == len(set(urls)) > 0,
        )
    if state == "failed" and task.fail_codes is not None:
        yield Claim(
            clause=task.end_clause,
            holds=data.get("failCode") in task.fail_codes,
            expected=f"failCode {' or '.join(sorted(task.fail_codes))}",
            python=f'data["failCode"] in {sorted(task.fail_codes)}',
        )
    if state in ENDS:
        yield from _judge_times(task, data, now_ms)


def never_ends(longest_s: float) -> Iterator[Claim]:
    """Yield the claims that a task violates that is not final after this time."""
    for clause in ("TIM-1", "STA-5"):
        yield Claim(
            clause=clause,
            holds=False,
            expected=f"success or failed within {longest_s:g} s, ten times the average",
            python='data["state"] in ("success", "failed")',
        )


def judge_callbacks(
    task: KnownTask, bodies: tuple[bytes, ...], due: tuple[int, int]
) -> Iterator[Claim]:
    """Compare the callbacks of a task with the ones that are due, and with its final status."""
    least, most = due
    # A duplicate is allowed (CB-4), so only a callback that is not due at all is one too many.
    is_none_due = most == 0
    yield Claim(
        clause="CB-1" if len(bodies) == 0 or is_none_due else "CB-3",
        holds=not bodies if is_none_due else least <= len(bodies),
        expected="no callback until now" if is_none_due else f"{least} callbacks or more until now",
        python="not bodies" if is_none_due else f"len(bodies) >= {least}",
        seen=f"{len(bodies)} callbacks",
        is_slow=len(bodies) < least,
    )
    if bodies and task.final is not None:
        final = canonical(task.final)
        other = [body for body in bodies if canonical(body) != final]
        yield Claim(
            clause="CB-1",
            holds=not other,
            expected="the same body as the status response: "
            + task.final[:_SHOWN].decode("utf-8", "replace"),
            python="all(json.loads(body) == json.loads(final) for body in bodies)",
            seen=(other or bodies)[0].decode("utf-8", "replace"),
        )


def _judge_state(task: KnownTask, state: str, now_ms: int | None) -> Iterator[Claim]:
    possible = task.states_at(now_ms)
    is_forward = RANKS[state] >= RANKS[task.state]
    yield Claim(
        clause="STA-5",
        holds=is_forward,
        expected=f"no state before {task.state}",
        python=f'data["state"] in {sorted(s for s in RANKS if RANKS[s] >= RANKS[task.state])}',
    )
    if is_forward and now_ms is not None and task.end_ms is not None:
        is_final, must_be = state in ENDS, now_ms >= task.end_ms
        yield Claim(
            clause="STA-5",
            holds=is_final == must_be,
            expected=f"{'a final state' if must_be else 'no final state'}: the task"
            f" {'ended' if must_be else 'ends'} at {task.end_ms}, and it is {now_ms}",
            python=f'data["state"] in {sorted(possible)}',
        )
    if state in ENDS and len(task.ends) == 1:
        yield Claim(
            clause=task.end_clause,
            holds=state in task.ends,
            expected=f"the task ends as {next(iter(task.ends))}",
            python=f'data["state"] in {sorted(task.ends)}',
        )


def _judge_created(task: KnownTask, data: dict[str, Any]) -> Iterator[Claim]:
    created = data.get("createTime")
    wanted = task.created if task.born_ms is None else task.born_ms
    expected = "createTime in whole milliseconds"
    if wanted is not None:
        why = "the same at every request" if task.born_ms is None else "the instant of the submit"
        expected = f"createTime {wanted!r}, {why}"
    yield Claim(
        clause="STA-9",
        holds=type(created) is int and created > 10**11 and wanted in {None, created},
        expected=expected,
        python='isinstance(data["createTime"], int)'
        if wanted is None or task.born_ms is not None
        else 'data["createTime"] == created',
    )


def _judge_times(task: KnownTask, data: dict[str, Any], now_ms: int | None) -> Iterator[Claim]:
    created, completed, cost = (data.get(n) for n in ("createTime", "completeTime", "costTime"))
    if type(created) is not int:
        return
    earliest = max(created, task.seen_live_ms or 0)
    is_time = type(completed) is int and earliest <= completed
    expected = f"completeTime from {earliest} until now"
    if is_time and now_ms is not None:
        is_time = completed <= now_ms  # type: ignore[operator]  # is_time says that it is an int
    if task.end_ms is not None:
        is_time = is_time and completed == task.end_ms
        expected = f"completeTime is the instant of the end, {task.end_ms}"
    yield Claim(
        clause="STA-9",
        holds=is_time,
        expected=expected,
        python='data["createTime"] <= data["completeTime"]',
    )
    if type(completed) is int:
        is_duration = type(cost) is int and cost >= 0
        yield Claim(
            clause="STA-10",
            holds=is_duration and cost <= completed - created,  # type: ignore[operator]  # an int
            expected="0 ≤ costTime ≤ completeTime - createTime",
            python='0 <= data["costTime"] <= data["completeTime"] - data["createTime"]',
            is_choice=is_duration,  # Only the upper bound is a choice.
        )
