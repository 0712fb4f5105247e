"""The account finds every callback that is lost, repeated or not given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.receiver import OK
from benchmarks.soak.callback_account import (
    CallbackAccount,
    ListedAttempt,
    ListedDeliveries,
    ListedDelivery,
)
from benchmarks.soak.callback_kinds import KINDS, CallbackKind, ReceiverMode, response

kinds = st.sampled_from(list(KINDS.values()))


def listed(number: int, state: str, attempts: int) -> ListedDeliveries:
    attempt = ListedAttempt(status=None, error="connection refused")
    url = f"http://127.0.0.1:9/none/{number}"
    return ListedDeliveries([ListedDelivery(url=url, state=state, attempts=[attempt] * attempts)])


def account_of(kind: CallbackKind, *, state: str, attempts: int, received: int) -> CallbackAccount:
    """Return the account of one task, whose delivery was listed once."""
    account = CallbackAccount()
    number = account.expect(kind, "key")
    account.accept(number)
    for _ in range(received):
        account.receive(number)
    account.read(listed(number, state, attempts))
    account.close()
    return account


@given(kinds)
def test_a_delivery_that_ends_as_expected_is_no_problem(kind: CallbackKind) -> None:
    account = account_of(kind, state=kind.state, attempts=kind.attempts, received=kind.received)

    assert account.problems.lines() == []
    assert (account.open_keys, account.ended) == (set(), {kind.name: 1})


@given(
    kinds, st.sampled_from(["delivered", "failed", "blocked"]), st.integers(0, 5), st.integers(0, 9)
)
def test_a_delivery_that_ends_otherwise_is_a_problem(
    kind: CallbackKind, state: str, attempts: int, received: int
) -> None:
    account = account_of(kind, state=state, attempts=attempts, received=received)

    is_right = (state, attempts, received) == (kind.state, kind.attempts, kind.received)
    assert len(account.problems) == (0 if is_right else 1)


def test_a_delivery_that_is_not_listed_is_a_problem() -> None:
    account = CallbackAccount()
    account.accept(account.expect(KINDS["accepted"], "key"))
    account.read(ListedDeliveries([]))

    account.close()

    assert account.problems.lines()[-1] == "  accepted, key: not listed by the server"


def test_a_delivery_that_stays_pending_is_a_problem() -> None:
    account = account_of(KINDS["rejected"], state="pending", attempts=1, received=1)

    assert account.problems.lines()[-1] == (
        "  rejected, key: pending after 1 attempts (connection refused), next at None"
    )


def test_a_callback_after_the_end_of_its_delivery_is_a_problem() -> None:
    account = account_of(KINDS["accepted"], state="delivered", attempts=1, received=1)

    account.receive(1)

    assert account.problems.lines()[0].startswith("a callback after its delivery had ended")


def test_a_callback_of_no_task_is_a_problem() -> None:
    account = CallbackAccount()

    account.receive(7)

    assert account.problems.lines()[0].startswith("a callback of no task")


@pytest.mark.parametrize(("received", "problems"), [(0, 0), (1, 1)])
def test_a_rejected_submit_must_have_no_callback(received: int, problems: int) -> None:
    account = CallbackAccount()
    number = account.expect(KINDS["before-answer"], "key")
    for _ in range(received):
        account.receive(number)

    account.reject(number)

    assert (len(account.problems), account.open_keys) == (problems, set())


def test_a_delivery_is_judged_after_its_submit_was_answered() -> None:
    """A callback before the answer may be delivered while the submit is in progress."""
    account = CallbackAccount()
    number = account.expect(KINDS["before-answer"], "key")
    account.receive(number)
    account.read(listed(number, "delivered", 1))

    assert account.open_keys == {"key"}
    account.accept(number)
    account.read(listed(number, "delivered", 1))
    assert (account.open_keys, len(account.problems)) == (set(), 0)


@given(kinds)
def test_the_receiver_causes_the_end_that_a_kind_names(kind: CallbackKind) -> None:
    posts = 0 if kind.mode is ReceiverMode.NONE else kind.received
    answers = [response(kind.mode, number) for number in range(1, posts + 1)]

    assert (OK in answers) == (kind.state == "delivered")
    assert OK not in answers[:-1] or kind.attempts == 1
