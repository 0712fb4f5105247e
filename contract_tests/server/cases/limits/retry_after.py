"""LIM-5: the Retry-After header of a 429."""

from contract_tests.contract.provider import BALANCE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case
from contract_tests.server.cases.reading import retry_after_s
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe


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
