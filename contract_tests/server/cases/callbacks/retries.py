"""CB-2 … CB-4: a callback that was not received comes again, and not for ever."""

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.callbacks.tasks import (
    STILL_S,
    callback_body,
    missing,
    take_any_receiver,
)
from contract_tests.server.probe import Probe

_NO_RECEIPT = (500, 503, 404, 400, 410, 302, 307, 201, 202, 204)
_SLOWER_S = 31.0  # than a receiver may be
_FOLLOWS_S = 5.0  # real time until a callback that is due has come
_DAY_S = 86_400.0


def _other_statuses(probe: Probe) -> None:
    take_any_receiver(probe)
    for status in _NO_RECEIPT:
        probe.react(str(status), (status, 0))
        _end(probe, probe.task(callback_body(str(status))))
        if not probe.deliveries(str(status), 1, within_s=_FOLLOWS_S):
            missing(probe, "CB-2", "a callback when the task has ended")
            return
    probe.pass_time(30)
    for status in _NO_RECEIPT:
        came = probe.deliveries(str(status), 2, within_s=1)
        followed = probe.deliveries(f"{status}-moved", 1, within_s=0)
        probe.check(
            "CB-2",
            len(came) > 1 and not followed,
            expected=f"a receiver that answers {status} has not received: the callback comes again",
            seen=f"{len(came)} callbacks, {len(followed)} where a redirect leads",
        )


def _slow_answer(probe: Probe) -> None:
    take_any_receiver(probe)
    probe.react("slow", (200, _SLOWER_S))
    task_id = probe.task(callback_body("slow"))
    _end(probe, task_id)
    if not probe.deliveries("slow", 1, within_s=_FOLLOWS_S):
        missing(probe, "CB-2", "a callback when the task has ended")
        return
    probe.pass_time(31)
    came = probe.deliveries("slow", 2, within_s=_FOLLOWS_S)
    probe.check(
        "CB-2",
        len(came) == 2,
        expected=f"a receiver that answers 200 after {_SLOWER_S:g} s has not received: the"
        " callback comes again",
        seen=f"{len(came)} callbacks",
    )


def _schedule(probe: Probe) -> None:
    """Refuse every attempt, and look right before and at each instant of CB-3."""
    take_any_receiver(probe)
    probe.react("never", *[(500, 0.0)] * 20)
    _end(probe, probe.task(callback_body("never")))
    if not probe.deliveries("never", 1, within_s=_FOLLOWS_S):
        missing(probe, "CB-3", "a callback when the task has ended")
        return
    for number, delay_s in ((1, 30.0), (2, 120.0), (3, 600.0)):
        probe.pass_time(delay_s - 0.001)
        early = probe.deliveries("never", number + 1, within_s=STILL_S)
        probe.pass_time(0.001)
        due = probe.deliveries("never", number + 1, within_s=_FOLLOWS_S)
        is_kept = probe.check(
            "CB-3",
            len(early) == number and len(due) == number + 1,
            expected=f"try {number + 1} comes {delay_s:g} s after the one before has failed",
            seen=f"{len(early)} tries until 1 ms before, {len(due)} then",
        )
        if not is_kept:
            return
    probe.pass_time(_DAY_S)
    came = probe.deliveries("never", 5, within_s=STILL_S)
    probe.check(
        "CB-3",
        len(came) == 4,
        expected="after 3 more tries no others, in a whole day",
        seen=f"{len(came)} tries",
    )


def _no_more_after_200(probe: Probe) -> None:
    take_any_receiver(probe)
    for refusals in range(3):
        name = f"after-{refusals}"
        probe.react(name, *[(500, 0.0)] * refusals)
        _end(probe, probe.task(callback_body(name)))
        if not probe.deliveries(name, 1, within_s=_FOLLOWS_S):
            missing(probe, "CB-3", "a callback when the task has ended")
            return
        probe.pass_time(_DAY_S)
        probe.deliveries(name, refusals + 1, within_s=_FOLLOWS_S)
        came = probe.deliveries(name, refusals + 2, within_s=STILL_S)
        statuses = [delivery.answered for delivery in came]
        probe.check(
            "CB-3",
            statuses == [500] * refusals + [200],
            expected=f"{refusals} refused tries, the one that is received, and no more",
            seen=f"tries that were answered {statuses}",
        )


def _first_retry(probe: Probe) -> None:
    """Look roughly, so that it can be done in real time."""
    take_any_receiver(probe)
    probe.react("again", (500, 0))
    probe.ended(probe.task(callback_body("again")))
    if not probe.deliveries("again", 1, within_s=_FOLLOWS_S):
        missing(probe, "CB-2", "a callback when the task has ended")
        return
    probe.pass_time(20)
    early = probe.deliveries("again", 2, within_s=STILL_S)
    probe.check(
        "CB-3",
        len(early) == 1,
        expected="no second try within 20 s",
        seen=f"{len(early)} tries",
    )
    probe.pass_time(15)
    came = probe.deliveries("again", 2, within_s=_FOLLOWS_S)
    for clause in ("CB-2", "CB-3"):
        probe.check(
            clause,
            len(came) > 1,
            expected="a second try 30 s after the first was answered 500",
            seen=f"{len(came)} tries",
        )


def _at_least_once(probe: Probe) -> None:
    """Let some tasks end together; each is told until it is received, whatever the others do."""
    take_any_receiver(probe)
    refusals = {"first": 2, "second": 0, "third": 1, "fourth": 3}
    tasks = []
    for name, count in refusals.items():
        probe.react(name, *[(500, 0.0)] * count)
        tasks.append(probe.task(callback_body(name)))
    for task_id in tasks:
        _end(probe, task_id)
    probe.pass_time(_DAY_S)
    for name, count in refusals.items():
        came = probe.deliveries(name, count + 1, within_s=_FOLLOWS_S)
        if not came:
            missing(probe, "CB-4", "a callback for each of several tasks that end together")
            continue
        probe.check(
            "CB-4",
            any(delivery.answered == 200 for delivery in came),
            expected="each callback is tried until it is received",
            seen=f"tries that were answered {[delivery.answered for delivery in came]}",
        )
        bodies = {delivery.body for delivery in came}
        probe.check(
            "CB-4",
            len(bodies) == 1,
            expected="each try of a callback says the same, so that it is seen as a duplicate",
            seen=" / ".join(sorted(body.decode("utf-8", "replace") for body in bodies)),
        )


def _end(probe: Probe, task_id: str) -> None:
    """End a task at this instant, so that the first attempt is made at it."""
    probe.control_task("POST", task_id, "/finish", {"state": "success"})


CASES = (
    Case(
        id="S-CB-004",
        title="a receiver that does not answer 200 is told again",
        clauses=("CB-2",),
        sends=f"callback tasks to receivers that answer {', '.join(map(str, _NO_RECEIPT))}",
        expects="a second try for each; no redirect is followed",
        run=_other_statuses,
        images=len(_NO_RECEIPT),
        worst_images=len(_NO_RECEIPT),
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-005",
        title="a receiver that takes longer than 30 s is told again",
        clauses=("CB-2",),
        sends=f"a callback task to a receiver that answers 200 after {_SLOWER_S:g} s of real time",
        expects="a second try (a mock may be told to wait for less than 30 s)",
        run=_slow_answer,
        images=1,
        worst_images=1,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-006",
        title="a callback that is never received is tried 3 more times, with growing delays",
        clauses=("CB-3",),
        sends="a callback task to a receiver that always answers 500",
        expects="tries 30 s, 2 min and 10 min after the one before, and no others",
        run=_schedule,
        images=1,
        worst_images=1,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-007",
        title="a callback that was received is not tried again",
        clauses=("CB-3",),
        sends="callback tasks to receivers that answer 200 to the first, second or third try",
        expects="no further try in a day",
        run=_no_more_after_200,
        images=3,
        worst_images=3,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-008",
        title="each callback is tried until it is received, and always says the same",
        clauses=("CB-4",),
        sends="callback tasks that end together, to receivers that refuse none to three times",
        expects="each is received in the end, with the same body at every try",
        run=_at_least_once,
        images=4,
        worst_images=4,
        needs_control=True,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-009",
        title="a refused callback comes again after about 30 s",
        clauses=("CB-2", "CB-3"),
        sends="a callback task to a receiver that answers 500 once",
        expects="a second try, not within 20 s, but within 35",
        run=_first_retry,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
    ),
)
