"""LIM-5: the Retry-After header of a 429."""

from collections.abc import Callable
from typing import Final

from contract_tests.contract.provider import BALANCE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import retry_after_s

_LONGEST_S: Final = 120  # A longer Retry-After is not waited for in real time.


def check_retry_after(probe: Probe, rejected: Answer) -> int | None:
    """Judge the header of a 429; return its seconds if it is valid, else None.

    Raises PreconditionNotMet if the response is not a 429.
    """
    if rejected.status != 429:
        raise PreconditionNotMet(f"a request over the limit did not get 429: {rejected.shown}")
    seconds = retry_after_s(rejected)
    written = rejected.response.header("retry-after")
    probe.check(
        "LIM-5",
        seconds is not None,
        expected="a 429 has Retry-After in whole seconds, at least 1",
        seen=f"{rejected.shown}, Retry-After: {written}",
        at=rejected,
    )
    return seconds


def try_around(probe: Probe, rejected: Answer, seconds: int, send: Callable[[], Answer]) -> None:
    """Send requests in real time before and after the time in Retry-After has passed.

    The server rounds it up to whole seconds. So a request more than a second before is rejected, if
    it arrives in time, and a request a second after is accepted.
    """
    if seconds > _LONGEST_S:
        return
    waited_s = 0.0
    if seconds > 2:
        probe.pass_time(seconds - 2)
        early = send()
        waited_s = (early.response.answered_ms - rejected.response.answered_ms) / 1000
        if early.response.answered_ms - rejected.response.sent_ms < (seconds - 1) * 1000:
            why = f"more than a second before the {seconds} s in Retry-After have passed"
            probe.check("LIM-5", early.status == 429, expected=f"{why}: HTTP 429", seen=early)
    probe.pass_time(max(0.0, seconds + 1 - waited_s))
    later = send()
    why = f"a second after the {seconds} s in Retry-After have passed"
    probe.check("LIM-5", later.status == 200, expected=f"{why}: HTTP 200", seen=later)


def _retry_after(probe: Probe) -> None:
    for offset_s in (0.0, 0.001, 20.5, 59.0, 59.001, 59.999):
        probe.reset()
        probe.change_settings(rate_limit=1, retry_after=True)
        probe.send("GET", BALANCE)
        if offset_s:
            probe.pass_time(offset_s)
        seconds = check_retry_after(probe, probe.send("GET", BALANCE))
        if seconds is None:
            return
        probe.pass_time(seconds)
        why = f"a request after the {seconds} s in Retry-After is accepted"
        again = probe.send("GET", BALANCE)
        probe.check("LIM-5", again.status == 200, expected=f"{why}: HTTP 200", seen=again)
    probe.change_settings(rate_limit=1000, max_concurrent=1, generation_time=30)
    probe.submit()
    check_retry_after(probe, probe.submit())


def _no_retry_after(probe: Probe) -> None:
    probe.change_settings(rate_limit=1, retry_after=False)
    probe.send("GET", BALANCE)
    rejected = probe.send("GET", BALANCE)
    written = rejected.response.header("retry-after")
    probe.check(
        "LIM-5",
        rejected.status == 429 and written is None,
        expected="a 429 without Retry-After, as configured",
        seen=f"{rejected.shown}, Retry-After: {written}",
        at=rejected,
    )


CASES = (
    Case(
        id="S-LIM-009",
        title="a 429 has a Retry-After, and waiting for this time is enough",
        clauses=("LIM-5",),
        sends="requests over each limit, and one after the time in Retry-After",
        expects="Retry-After in whole seconds, at least 1; then HTTP 200",
        run=_retry_after,
        images=1,
        worst_images=2,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-010",
        title="a 429 has no Retry-After if that is configured",
        clauses=("LIM-5",),
        sends="a request over the limit",
        expects="HTTP 429 without the header",
        run=_no_retry_after,
        needs_control=True,
        provokes=(429,),
    ),
)
