"""An audit of a full journal takes less than quadratic time, and can be cancelled."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.attribution import can_follow
from contract_tests.client.evidence import Evidence
from contract_tests.client.records import HttpExchange
from contract_tests.client.reports.cases import judge_case
from contract_tests.client.rules import RULES
from tests.contract_tests.evidence import envelope, exchange, full_timeline, numbered, task
from tests.growth import growth

FEW, MANY = 300, 4_800
# Linear work takes 16 times as long for 16 times as many exchanges, quadratic work 256 times.
LIMIT = 36


class Cancelled(BaseException):
    """Raised by a test to cancel an audit."""


def status(**given: Any) -> HttpExchange:
    return exchange(operation="status", **given)


def faulty(operation: str, fault: str, **given: Any) -> HttpExchange:
    return exchange(operation=operation, injected=frozenset({fault}), **given)


REPEATED = {
    "rejected status requests": status(status=404, task_id=""),
    "status requests with 403": status(status=403, task_id=""),
    "rate-limited status requests": status(status=429, response_headers=(("Retry-After", "1"),)),
    "submits without response": faulty("submit", "wire close"),
    "unknown states": status(response_body=envelope("dreaming")),
    "unknown members": faulty("status", "meaning unknown-members"),
    "truncated pictures": faulty("result", "meaning result-truncated"),
    "redirects": faulty(
        "result", "meaning result-redirected", response_headers=(("Location", "http://other/"),)
    ),
}


@pytest.mark.deep
@pytest.mark.parametrize("repeated", REPEATED.values(), ids=REPEATED)
def test_time_of_an_audit_is_not_quadratic(repeated: HttpExchange) -> None:
    """An audit of 10,000 equal status requests that were rejected took a minute."""

    def audit(number: int) -> Callable[[], object]:
        exchanges = numbered([repeated] * number)
        return lambda: judge_case(
            "a", "A", RULES, Evidence(exchanges=exchanges, tasks=(task(),)), is_staged=False
        )

    assert growth(audit(FEW), audit(MANY), LIMIT) < LIMIT


exchanges_at_random_times = st.lists(
    st.builds(
        exchange,
        operation=st.just("status"),
        task_id=st.sampled_from(("task_1", "task_2")),
        began_ms=st.none() | st.integers(0, 20),
        duration_ms=st.integers(0, 80).map(lambda quarters: quarters / 4),
    ),
    max_size=12,
).map(numbered)


@given(exchanges_at_random_times)
def test_repetitions_are_the_equal_requests_that_can_follow(
    exchanges: tuple[HttpExchange, ...],
) -> None:
    evidence = Evidence(exchanges=exchanges)

    for each in exchanges:
        following = [later for later in exchanges if can_follow(each, later)]
        found = evidence.repetitions_of(each)
        assert (found.number, found.first) == (len(following), next(iter(following), None))


@given(exchanges_at_random_times)
def test_status_requests_that_overtook_another_are_counted(
    exchanges: tuple[HttpExchange, ...],
) -> None:
    evidence = Evidence(exchanges=exchanges)

    for poll in exchanges:
        later = [
            each
            for each in exchanges
            if each.task_id == poll.task_id
            and (each.number > poll.number or began_later(each, poll))
        ]
        assert evidence.count_polls_sent_after(poll) == len(later)


def began_later(one: HttpExchange, other: HttpExchange) -> bool:
    return one.began_ms is not None and other.began_ms is not None and one.began_ms > other.began_ms


def test_audit_ends_with_the_error_that_cancels_it() -> None:
    """No rule turns the error into a verdict, at whatever step it is raised."""
    checks = count()
    judge_case("a", "A", RULES, cancelled_at(checks, None), is_staged=False)
    number = next(checks)

    for position in range(number):
        with pytest.raises(Cancelled):
            judge_case("a", "A", RULES, cancelled_at(count(), position), is_staged=False)

    assert number > len(RULES)


def cancelled_at(checks: "count[int]", position: int | None) -> Evidence:
    def check() -> None:
        if next(checks) == position:
            raise Cancelled

    timeline = full_timeline()
    return Evidence(
        exchanges=timeline.exchanges,
        tasks=timeline.tasks,
        client_exit=timeline.client_exit,
        check_cancelled=check,
    )
