"""A 5xx that no rule injected, and a status that a request does not expect, are problems."""

import pytest

from benchmarks.soak.responses import ResponseAccount


@pytest.mark.parametrize(
    ("status", "problem"),
    [(200, None), (500, "a 5xx that no rule injected"), (404, "an unexpected status")],
)
def test_a_response_must_have_an_expected_status(status: int, problem: str | None) -> None:
    account = ResponseAccount()

    account.add("status", status, [200], is_injected=False, body="the body")

    lines = [f"{problem} (1 times), such as:", f"  status: {status} the body"]
    assert account.problems.lines() == ([] if problem is None else lines)


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (404, 0), (503, 1)])
def test_an_injected_response_is_no_problem(status: int, errors: int) -> None:
    account = ResponseAccount()

    account.add("status", status, [200], is_injected=True, body="")

    assert (len(account.problems), account.injected_errors) == (0, errors)


def test_a_broken_response_is_a_problem_unless_it_was_injected() -> None:
    account = ResponseAccount()

    account.add_break("status", "ReadError()", is_injected=True)
    assert (len(account.problems), account.injected_breaks) == (0, 1)

    account.add_break("status", "ReadError()", is_injected=False)
    assert (len(account.problems), account.injected_breaks) == (1, 1)
