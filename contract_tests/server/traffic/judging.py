"""Compares answers with what the model expects. Each comparison is a claim about one clause."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import msgspec
from PIL import Image, UnidentifiedImageError

from contract_tests.server.answer import Answer
from contract_tests.server.model.model import Expected
from contract_tests.server.model.tasks import ENDS, RANKS, KnownTask

_RATIOS: Final = {"1:1": (1, 1), "3:2": (3, 2), "2:3": (2, 3)}
_SHOWN: Final = 300  # bytes of an expected body
_FIRM: Final = (  # Which members belong to which states.
    ("STA-6", ("resultJson",), ("success",)),
    ("STA-8", ("failCode", "failMsg"), ("failed",)),
    ("STA-9", ("completeTime", "costTime"), ("success", "failed")),
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a clause says about an answer, and whether it holds.

    `python` says the same as an expression of `answer`, an httpx response, and `data`, the
    envelope's member, or of `bodies`, the bodies of the received callbacks.
    """

    clause: str
    holds: bool
    expected: str
    python: str = "False"
    seen: str | None = None
    is_slow: bool = False
    """Whether it took real time to find that the claim does not hold."""


def judge_status_code(expected: Expected, answer: Answer) -> Iterator[Claim]:
    """Compare the HTTP status, the paths that an error names, and Retry-After."""
    statuses = sorted(expected.statuses)
    shown = " or ".join(str(status) for status in statuses)
    yield Claim(
        clause=_clause_of(expected, answer.status),
        holds=answer.status in expected.statuses,
        expected=f"HTTP {shown}: {expected.because}",
        python=f"answer.status_code in {statuses}",
    )
    if answer.status == 400 and expected.names:
        text = answer.response.body.decode("utf-8", "replace")
        yield Claim(
            clause="SUB-14",
            holds=any(name in text for name in expected.names),
            expected=f"an error that names {' or '.join(expected.names)}",
            python=f"any(name in answer.text for name in {list(expected.names)})",
        )
    if answer.status == 429 and expected.retry_after_s is not None:
        least, most = expected.retry_after_s
        waits_s = _whole_seconds(answer)
        exact = least if most is None else f"{least} to {most}" if most > least else least
        yield Claim(
            clause="LIM-5",
            holds=waits_s is not None and least <= waits_s <= (most or waits_s),
            expected=f"Retry-After of {exact} seconds" + (" or more" if most is None else ""),
            python=f'{least} <= int(answer.headers["retry-after"]) <= {most or 10**9}',
        )


def task_limit(expected: Expected, answer: Answer) -> Claim:
    """Return the claim that a submit is rejected exactly at the limit of tasks (LIM-2)."""
    may_be = 429 in expected.statuses
    must_be = may_be and len(expected.statuses) == 1
    return Claim(
        clause="LIM-2",
        holds=must_be == (answer.status == 429) or (may_be and not must_be),
        expected=f"HTTP 429 {'now' if must_be else 'only at the limit'}: {expected.because}",
        python=f"(answer.status_code == 429) == {must_be}",
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
            or (is_lenient and _canonical(answer.response.body) == _canonical(task.final)),
            expected=f"the final response never changes: {shown}",
            python="answer.content == final",
        )
        return
    data = answer.data if isinstance(answer.data, dict) else {}
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


def judge_balance(
    expected: tuple[int, int] | None, answer: Answer, *, clause: str
) -> Iterator[Claim]:
    """Compare the balance; one in whole cents may be rounded."""
    is_number = type(answer.data) in {int, float}
    yield Claim(
        clause="BIL-2",
        holds=is_number,
        expected="a number of US dollars in data",
        python="isinstance(data, (int, float))",
    )
    if not is_number or expected is None:
        return
    low, high = (each / 1e6 for each in expected)
    shown = f"${low:g}" if low == high else f"${low:g} to ${high:g}"
    yield Claim(
        clause=clause,
        holds=low - 0.005001 <= answer.data <= high + 0.005001
        if answer.data == round(answer.data, 2)
        else low - 1e-6 <= answer.data <= high + 1e-6,
        expected=f"a balance of {shown}: each image of a successful task is paid, no failed task",
        python=f"{low - 0.005:.3f} <= data <= {high + 0.005:.3f}",
    )


def judge_download(
    task: KnownTask, answer: Answer, *, is_available: bool | None
) -> Iterator[Claim]:
    """Compare a download: there until the results expire, in the requested ratio."""
    if is_available is None:
        return
    if not is_available:
        yield Claim(
            clause="RES-1",
            holds=answer.status in {403, 404, 410},
            expected="HTTP 403, 404 or 410: the results have expired",
            python="answer.status_code in {403, 404, 410}",
        )
        return
    yield Claim(
        clause="RES-1",
        holds=answer.status == 200,
        expected="HTTP 200: the result is available",
        python="answer.status_code == 200",
    )
    if answer.status != 200:
        return
    size = _size_of(answer.response.body)
    wide, high = _RATIOS.get(task.ratio, (1, 1))
    seen = "no image" if size is None else f"an image of {size[0]} x {size[1]} pixels"
    yield Claim(
        clause="RES-2",
        holds=size is not None and abs(size[0] * high - size[1] * wide) < max(wide, high),
        expected=f"an image of the ratio {task.ratio}",
        python='answer.headers["content-type"].startswith("image/")',
        seen=f"HTTP {answer.status}, {seen}",
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
        final = _canonical(task.final)
        other = [body for body in bodies if _canonical(body) != final]
        yield Claim(
            clause="CB-1",
            holds=not other,
            expected="the same body as the status response: "
            + task.final[:_SHOWN].decode("utf-8", "replace"),
            python="all(json.loads(body) == json.loads(final) for body in bodies)",
            seen=(other or bodies)[0].decode("utf-8", "replace"),
        )


def task_id_of(answer: Answer) -> str | None:
    """Return the task id in the answer to a submit, or None if the submit was not accepted."""
    data = answer.data if isinstance(answer.data, dict) else {}
    task_id = data.get("taskId") if answer.status == 200 else None
    return task_id if isinstance(task_id, str) and task_id else None


def state_of(answer: Answer) -> str | None:
    """Return the state in the answer to a status request, or None if there is none."""
    data = answer.data if isinstance(answer.data, dict) else {}
    state = data.get("state") if answer.status == 200 else None
    return state if isinstance(state, str) and state in RANKS else None


def result_urls(answer: Answer) -> tuple[str, ...]:
    """Return the URLs in `resultJson`; empty if it has no list of texts."""
    data = answer.data if isinstance(answer.data, dict) else {}
    try:
        urls = json.loads(data.get("resultJson") or "")["resultUrls"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    is_list = isinstance(urls, list) and all(isinstance(url, str) for url in urls)
    return tuple(urls) if is_list else ()


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
        yield Claim(
            clause="STA-10",
            holds=type(cost) is int and 0 <= cost <= completed - created,
            expected="0 ≤ costTime ≤ completeTime - createTime",
            python='0 <= data["costTime"] <= data["completeTime"] - data["createTime"]',
        )


def _clause_of(expected: Expected, status: int) -> str:
    """Return the clause that an unexpected status violates: a wrong 429 is about a limit."""
    if status == 429 and 429 not in expected.statuses:
        return "LIM-1"
    return expected.clause


def _whole_seconds(answer: Answer) -> int | None:
    written = answer.response.header("retry-after") or ""
    is_number = written.isascii() and written.isdecimal() and len(written) < 10
    return int(written) if is_number and int(written) >= 1 else None


def _canonical(body: bytes) -> str | None:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return None


def _size_of(content: bytes) -> tuple[int, int] | None:
    """Return width and height as the header of the picture states them, or None."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as picture:
            return picture.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None
