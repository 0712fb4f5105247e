"""CB-2 … CB-4: a callback that was not received is retried, a limited number of times."""

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.callbacks.tasks import (
    STILL_S,
    accept_any_receiver,
    callback_body,
    missing,
)
from contract_tests.server.probe import Probe

_NO_RECEIPT = (500, 503, 404, 400, 410, 302, 307, 201, 202, 204)
_SLOWER_S = 31.0  # Longer than the timeout of a receiver.
_DAY_S = 86_400.0


def _other_statuses(probe: Probe) -> None:
    accept_any_receiver(probe)
    for status in _NO_RECEIPT:
        probe.script_receiver(str(status), (status, 0))
        _end(probe, probe.submit_task(callback_body(str(status))))
        if not probe.await_deliveries(str(status), 1):
            missing(probe, "CB-2", "a callback when the task has ended")
            return
    probe.pass_time(30)
    for status in _NO_RECEIPT:
        received = probe.await_deliveries(str(status), 2)
        followed = probe.deliveries(f"{status}-moved", 1, within_s=0)
        probe.check(
            "CB-2",
            len(received) > 1 and not followed,
            expected=f"a callback that is answered {status} is retried",
            seen=f"{len(received)} callbacks, {len(followed)} at the target of a redirect",
        )


def _slow_answer(probe: Probe) -> None:
    accept_any_receiver(probe)
    probe.script_receiver("slow", (200, _SLOWER_S))
    task_id = probe.submit_task(callback_body("slow"))
    _end(probe, task_id)
    if not probe.await_deliveries("slow", 1):
        missing(probe, "CB-2", "a callback when the task has ended")
        return
    probe.pass_time(31)
    received = probe.await_deliveries("slow", 2)
    probe.check(
        "CB-2",
        len(received) == 2,
        expected=f"a receiver that answers 200 after {_SLOWER_S:g} s has not received the"
        " callback, so it is retried",
        seen=f"{len(received)} callbacks",
    )


def _schedule(probe: Probe) -> None:
    """Reject every attempt, and check for a retry just before and at each instant of CB-3."""
    accept_any_receiver(probe)
    probe.script_receiver("never", *[(500, 0.0)] * 20)
    _end(probe, probe.submit_task(callback_body("never")))
    if not probe.await_deliveries("never", 1):
        missing(probe, "CB-3", "a callback when the task has ended")
        return
    for number, delay_s in ((1, 30.0), (2, 120.0), (3, 600.0)):
        probe.pass_time(delay_s - 0.001)
        early = probe.deliveries("never", number + 1, within_s=STILL_S)
        probe.pass_time(0.001)
        due = probe.await_deliveries("never", number + 1)
        is_kept = probe.check(
            "CB-3",
            len(early) == number and len(due) == number + 1,
            expected=f"attempt {number + 1} is made {delay_s:g} s after the previous one failed",
            seen=f"{len(early)} attempts until 1 ms before, {len(due)} then",
        )
        if not is_kept:
            return
    probe.pass_time(_DAY_S)
    received = probe.deliveries("never", 5, within_s=STILL_S)
    probe.check(
        "CB-3",
        len(received) == 4,
        expected="no attempts in a day after 3 retries",
        seen=f"{len(received)} attempts",
    )


def _no_more_after_200(probe: Probe) -> None:
    accept_any_receiver(probe)
    for rejections in range(3):
        name = f"after-{rejections}"
        probe.script_receiver(name, *[(500, 0.0)] * rejections)
        _end(probe, probe.submit_task(callback_body(name)))
        if not probe.await_deliveries(name, 1):
            missing(probe, "CB-3", "a callback when the task has ended")
            return
        probe.pass_time(_DAY_S)
        probe.await_deliveries(name, rejections + 1)
        received = probe.deliveries(name, rejections + 2, within_s=STILL_S)
        statuses = [delivery.answered for delivery in received]
        probe.check(
            "CB-3",
            statuses == [500] * rejections + [200],
            expected=f"{rejections} rejected attempts, one that is received, and no others",
            seen=f"attempts answered with {statuses}",
        )


def _first_retry(probe: Probe) -> None:
    """Check the instant of the retry only roughly, so that the case works in real time."""
    accept_any_receiver(probe)
    probe.script_receiver("again", (500, 0))
    probe.poll_until_final(probe.submit_task(callback_body("again")))
    if not probe.await_deliveries("again", 1):
        missing(probe, "CB-2", "a callback when the task has ended")
        return
    probe.pass_time(20)
    early = probe.deliveries("again", 2, within_s=STILL_S)
    probe.check(
        "CB-3",
        len(early) == 1,
        expected="no second attempt within 20 s",
        seen=f"{len(early)} attempts",
    )
    probe.pass_time(15)
    received = probe.await_deliveries("again", 2)
    for clause in ("CB-2", "CB-3"):
        probe.check(
            clause,
            len(received) > 1,
            expected="a second attempt 30 s after the first was answered 500",
            seen=f"{len(received)} attempts",
        )


def _at_least_once(probe: Probe) -> None:
    """Check that the callbacks of tasks that end together are retried independently."""
    accept_any_receiver(probe)
    rejections = {"first": 2, "second": 0, "third": 1, "fourth": 3}
    tasks = []
    for name, count in rejections.items():
        probe.script_receiver(name, *[(500, 0.0)] * count)
        tasks.append(probe.submit_task(callback_body(name)))
    for task_id in tasks:
        _end(probe, task_id)
    probe.pass_time(_DAY_S)
    for name, count in rejections.items():
        received = probe.await_deliveries(name, count + 1)
        if not received:
            missing(probe, "CB-4", "a callback for each of several tasks that end together")
            continue
        probe.check(
            "CB-4",
            any(delivery.answered == 200 for delivery in received),
            expected="each callback is retried until it is received",
            seen=f"attempts answered with {[delivery.answered for delivery in received]}",
        )
        bodies = {delivery.body for delivery in received}
        probe.check(
            "CB-4",
            len(bodies) == 1,
            expected="all attempts of a callback have the same body",
            seen=" / ".join(sorted(body.decode("utf-8", "replace") for body in bodies)),
        )


def _end(probe: Probe, task_id: str) -> None:
    """End a task now, so that the first attempt is made now."""
    probe.control_task("POST", task_id, "/finish", {"state": "success"})


CASES = (
    Case(
        id="S-CB-004",
        title="a callback that is not answered 200 is retried",
        clauses=("CB-2",),
        sends=f"callback tasks to receivers that answer {', '.join(map(str, _NO_RECEIPT))}",
        expects="a second attempt for each; no redirect is followed",
        run=_other_statuses,
        images=len(_NO_RECEIPT),
        worst_images=len(_NO_RECEIPT),
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-005",
        title="a callback that is not answered within 30 s is retried",
        clauses=("CB-2",),
        sends=f"a callback task to a receiver that answers 200 after {_SLOWER_S:g} s of real time",
        expects="a second attempt (a mock may have a shorter timeout than 30 s)",
        run=_slow_answer,
        is_slow=True,
        images=1,
        worst_images=1,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-006",
        title="a callback that is never received is retried 3 times, with growing delays",
        clauses=("CB-3",),
        sends="a callback task to a receiver that always answers 500",
        expects="attempts 30 s, 2 min and 10 min after the previous one, and no others",
        run=_schedule,
        images=1,
        worst_images=1,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-007",
        title="a callback that was received is not retried",
        clauses=("CB-3",),
        sends="callback tasks to receivers that answer 200 to the first, second or third attempt",
        expects="no further attempt in a day",
        run=_no_more_after_200,
        images=3,
        worst_images=3,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-008",
        title="each callback is retried until it is received, always with the same body",
        clauses=("CB-4",),
        sends="callback tasks that end together, to receivers that reject none to three attempts",
        expects="each is received, with the same body in every attempt",
        run=_at_least_once,
        images=4,
        worst_images=4,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-009",
        title="a rejected callback is retried after about 30 s",
        clauses=("CB-2", "CB-3"),
        sends="a callback task to a receiver that answers 500 once",
        expects="a second attempt after more than 20 s and less than 35 s",
        run=_first_retry,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
    ),
)
