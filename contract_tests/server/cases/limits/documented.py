"""LIM-1 and LIM-2 with the documented limits."""

from collections.abc import Callable
from typing import TypeVar

from contract_tests.contract.provider import BALANCE, GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.limits.retry_after import check_retry_after, try_around
from contract_tests.server.events import Burst, Request, build_request
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import data_of, date_s

F = TypeVar("F")

RATE = 10_000  # Requests in 60 seconds.
TASKS = 1_000  # Tasks in progress.
_WINDOW_S = 60.0
_MORE_TRIES = 4  # A server that generates in a second is filled in time by chance only.
_SAFE = 4  # Of many tasks, the shortest takes about a quarter of the time of the longest.
_LEFTOVERS_S = {"rate_limit": 61.0, "max_concurrent": 120.0}
"""How long requests and tasks of an earlier run with the same key may count, in seconds."""


def _documented_rate(probe: Probe) -> None:
    _need(probe, "rate_limit", RATE)
    request = build_request("GET", BALANCE)

    def fill() -> tuple[Answer, int]:
        first = probe.send("GET", BALANCE)
        return first, (first.status == 200) + _ok(probe, request, RATE - 1)

    first, passed = _filled(probe, fill, RATE, "rate_limit")
    last = probe.send("GET", BALANCE)
    if _may_be_of_two_minutes(probe, first, last):
        _await_a_new_minute(probe, last)
        first, passed = fill()
        last = probe.send("GET", BALANCE)
    _stay_within_a_window(probe, first, last)
    probe.check(
        "LIM-1",
        passed == RATE and last.status == 429,
        expected=f"{RATE} requests are accepted, and the next gets HTTP 429",
        seen=f"{passed} were accepted, then {last.shown}",
        at=last,
    )
    if last.status != 429:
        return
    for what, answer in (
        ("a submit", probe.submit()),
        ("a status request", probe.read_status("task_0")),
    ):
        probe.check(
            "LIM-3",
            answer.status == 429,
            expected=f"{what} counts towards the same limit: HTTP 429",
            seen=answer,
        )
    if probe.target.has_other_key:
        answer = probe.send("GET", BALANCE, key="other")
        probe.check(
            "LIM-3",
            answer.status == 200,
            expected="a request with another key is accepted",
            seen=answer,
        )
    _judge_retry_after(probe, last)


def _documented_concurrency(probe: Probe) -> None:
    _need(probe, "max_concurrent", TASKS)
    settings = probe.target.settings or {}
    if settings.get("rate_limit", RATE) < TASKS + 10:
        raise CaseSkipped("the configured rate limit is below the limit of tasks")
    if probe.target.has_control:
        probe.change_settings(generation_time=30, balance=100_000)
    request = build_request(
        "POST", GENERATE, body={"input": {"mode": "gpt-image-1", "prompt": "a"}}
    )

    def fill() -> tuple[str, int]:
        task_id = probe.submit_task()
        return task_id, 1 + _ok(probe, request, TASKS - 1)

    first, passed = _filled(probe, fill, TASKS, "max_concurrent")
    last, status = probe.submit(), probe.read_status(first)
    for _ in range(_MORE_TRIES):
        if last.status == 429 or probe.target.has_control or probe.target.is_live:
            break
        life_s = _life_s(probe, first)
        if _fill_s(probe, last) <= life_s / _SAFE:
            break
        probe.pass_time(_SAFE * life_s)  # By then, these tasks have ended.
        first, passed = fill()
        last, status = probe.submit(), probe.read_status(first)
    _require_tasks_in_progress(probe, first, last)
    probe.check(
        "LIM-2",
        passed == TASKS and last.status == 429,
        expected=f"{TASKS} tasks may be in progress, one more submit gets HTTP 429",
        seen=f"{passed} were accepted, then {last.shown}",
        at=last,
    )
    probe.check("LIM-2", status.status == 200, expected="status requests still work", seen=status)
    probe.poll_until_final(first)
    again = probe.submit()
    probe.check(
        "LIM-2",
        again.status == 200,
        expected="a task that has ended does not count",
        seen=again,
    )


def _require_tasks_in_progress(probe: Probe, first: str, last: Answer) -> None:
    """Raise PreconditionNotMet if tasks may have ended before the limit was reached."""
    if last.status == 429 or probe.target.has_control:
        return
    fill_s, life_s = _fill_s(probe, last), _life_s(probe, first)
    if fill_s > life_s / _SAFE:
        raise PreconditionNotMet(
            f"tasks may have ended before {TASKS} were in progress: the submits took"
            f" {fill_s:.1f} s, and a task takes {life_s:.1f} s."
            f" Let the server take {_SAFE * fill_s:.0f} s or more for a task"
        )


def _fill_s(probe: Probe, last: Answer) -> float:
    """Return how long the submits took, from the start of the burst to the last one."""
    bursts = [event for event in probe.events if isinstance(event, Burst)]
    return (last.response.answered_ms - bursts[-1].last.sent_ms) / 1000


def _life_s(probe: Probe, task_id: str) -> float:
    """Return how long a task took, by its own times."""
    data = data_of(probe.poll_until_final(task_id))
    created_ms, completed_ms = data.get("createTime"), data.get("completeTime")
    if type(created_ms) is not int or type(completed_ms) is not int:
        raise PreconditionNotMet("it is unknown how long a task takes: it has no times")
    return (completed_ms - created_ms) / 1000


def _need(probe: Probe, setting: str, number: int) -> None:
    """Raise CaseSkipped if the server has another limit than the documented one."""
    configured = (probe.target.settings or {}).get(setting, number)
    if configured != number:
        raise CaseSkipped(f"{setting} is {configured} here instead of the documented {number}")


def _filled(
    probe: Probe, fill: Callable[[], tuple[F, int]], count: int, setting: str
) -> tuple[F, int]:
    """Return the first of the requests that fill the limit, and how many of them were accepted.

    Requests of an earlier run may still count, so `fill` is called again after a pause. It sends
    all requests again: by then, those of the first attempt do not count any more.
    """
    if not probe.target.has_own_keys:
        probe.pass_time(_LEFTOVERS_S[setting])  # Other cases have used the same key.
    first, passed = fill()
    if passed < count and not probe.target.has_control:
        probe.pass_time(_LEFTOVERS_S[setting])
        first, passed = fill()
    return first, passed


def _ok(probe: Probe, request: Request, count: int) -> int:
    burst = probe.burst(request, count)
    if burst.last.error is not None:
        raise PreconditionNotMet(f"the burst was interrupted: {burst.last.error}")
    others = sorted({status for status, _ in burst.statuses} - {200, 429})
    if others:
        raise PreconditionNotMet(
            f"the burst got other statuses, {others}: {burst.last.body[:200]!r}"
        )
    status, times = burst.statuses[0]
    return times if status == 200 else 0


def _may_be_of_two_minutes(probe: Probe, first: Answer, last: Answer) -> bool:
    """Return whether a server that counts calendar minutes may have counted in two of them.

    The kind of the window is a choice (LIM-3), so only one minute is judged.
    """
    if last.status == 429 or probe.target.has_control:
        return False
    began, ended = date_s(first), date_s(last)
    return began is not None and ended is not None and began // _WINDOW_S != ended // _WINDOW_S


def _await_a_new_minute(probe: Probe, last: Answer) -> None:
    """Wait for the start of a minute, until no earlier request counts in any kind of window."""
    second = (date_s(last) or 0.0) % _WINDOW_S
    probe.pass_time(2 * _WINDOW_S - second + 1)


def _stay_within_a_window(probe: Probe, first: Answer, last: Answer) -> None:
    """Raise PreconditionNotMet if the burst was too slow to reach the limit in any window."""
    if last.status == 429 or probe.target.has_control:
        return
    began, ended = date_s(first), date_s(last)
    if began is None or ended is None or ended - began >= _WINDOW_S - 1:
        raise PreconditionNotMet("the requests cannot be sent fast enough to reach the limit")


def _judge_retry_after(probe: Probe, rejected: Answer) -> None:
    if (probe.target.settings or {}).get("retry_after", True):
        seconds = check_retry_after(probe, rejected)
        if seconds is not None and not probe.target.has_control:
            try_around(probe, rejected, seconds, lambda: probe.send("GET", BALANCE))
        return
    probe.check(
        "LIM-5",
        rejected.response.header("Retry-After") is None,
        expected="no Retry-After, as configured",
        seen=rejected,
    )


CASES = (
    Case(
        id="S-LIM-001",
        title="10,000 requests in a minute are accepted, the next is not",
        clauses=("LIM-1", "LIM-3", "LIM-5"),
        sends=f"{RATE} requests for the balance, then one of each kind, then one of another key",
        expects="the last of the same key get HTTP 429 with Retry-After",
        run=_documented_rate,
        worst_images=1,
        exhausts=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-002",
        title="1,000 tasks in progress are accepted, one more is not",
        clauses=("LIM-2",),
        sends=f"{TASKS + 1} submits, a status request, and a submit after a task has ended",
        expects="the last of these submits gets HTTP 429, all other requests are accepted",
        run=_documented_concurrency,
        images=TASKS + 1,
        worst_images=2 * (TASKS + 1),
        time=Time.ONE_GENERATION,
        exhausts=True,
        runs_alone=True,
        provokes=(429,),
    ),
)
