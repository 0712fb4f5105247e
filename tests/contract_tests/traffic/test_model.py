"""The model predicts what the contract says, and leaves open what it does not say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.server.model.facts import Facts
from contract_tests.server.model.model import Model, task_of
from contract_tests.server.model.outcomes import Reference, outcome_of
from contract_tests.server.model.submissions import problems_of
from contract_tests.server.model.tasks import KnownTask
from contract_tests.strategies import broken_submissions, submissions, with_unknown_members

FACTS = Facts(
    price_microusd=35_000,
    balance_microusd=1_000_000,
    is_strict=False,
    has_clock=True,
    image_fail_codes="seed",
    sends_retry_after=True,
)
BODY = {"input": {"mode": "gpt-image-1", "prompt": "a red fox"}}


def a_model(**facts: Any) -> Model:
    known = {name: getattr(FACTS, name) for name in FACTS.__struct_fields__} | facts
    model = Model(Facts(**known))
    for key in ("own", "other"):
        model.set_clock(key, 1_000_000)
    return model


def with_task(model: Model, name: str = "t", **members: Any) -> KnownTask:
    task = task_of(BODY, id_=name, key="own")
    task.born_ms, task.start_ms, task.end_ms = 1_000_000, 1_002_000, 1_030_000
    task.ends = frozenset({"success"})
    for member, value in members.items():
        setattr(task, member, value)
    model.accepted(name, task)
    return task


@given(with_unknown_members(submissions(callback_url="http://127.0.0.1:1/callback")))
def test_a_valid_submit_has_no_problem(bodies: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert [problems_of(body, is_strict=False) for body in bodies] == [(), ()]


@given(broken_submissions())
def test_an_invalid_submit_has_a_problem_with_its_path(broken: tuple[dict[str, Any], str]) -> None:
    body, path = broken

    assert path in {problem.path for problem in problems_of(body, is_strict=False)}


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_object_is_rejected(body: object) -> None:
    assert [problem.clause for problem in problems_of(body, is_strict=False)] == ["SUB-2"]


def test_a_ratio_of_the_general_page_may_be_accepted_or_rejected() -> None:
    body = {"input": {**BODY["input"], "aspect_ratio": "16:9"}}

    assert a_model().expect_submit("own", body).statuses == {200, 400}


def test_an_unknown_key_is_401_everywhere() -> None:
    model = a_model()
    task = with_task(model)

    expected = (
        model.expect_submit("none", BODY),
        model.expect_status("none", task),
        model.expect_balance("none"),
    )
    assert [each.statuses for each in expected] == [{401}] * 3


def test_a_task_of_another_key_is_404() -> None:
    model = a_model()

    assert model.expect_status("other", with_task(model)).statuses == {404}


@pytest.mark.parametrize(
    ("now_ms", "state"),
    [(1_001_999, "pending"), (1_002_000, "processing"), (1_029_999, "processing"),
     (1_030_000, "success")],
)  # fmt: skip
def test_the_state_follows_from_the_plan_and_the_instant(now_ms: int, state: str) -> None:
    assert with_task(a_model()).states_at(now_ms) == {state}


def test_without_a_clock_a_task_may_be_in_any_state_that_is_not_behind_it() -> None:
    task = with_task(a_model(), end_ms=None, start_ms=None)
    task.seen("processing", created=1, body=b"", urls=(), now_ms=None)

    assert task.states_at(None) == {"processing", "success"}


def test_the_rate_limit_counts_the_last_60_s_only() -> None:
    model = a_model(rate_limit=2)
    for _ in range(2):
        model.sent("own", 404)

    assert model.expect_balance("own").statuses == {429}
    model.set_clock("own", 1_059_999)
    assert model.expect_balance("own").retry_after_s == (1, 1)
    model.set_clock("own", 1_060_000)
    assert model.expect_balance("own").statuses == {200}


@given(st.lists(st.sampled_from((401, 429)), max_size=20))
def test_requests_that_get_401_or_429_are_not_counted(statuses: list[int]) -> None:
    model = a_model(rate_limit=1)
    for status in statuses:
        model.sent("own", status)

    assert model.expect_balance("own").statuses == {200}


def test_one_task_more_than_the_limit_is_429_until_one_has_ended() -> None:
    model = a_model(max_tasks=1)
    with_task(model)

    assert model.expect_submit("own", BODY).statuses == {429}
    assert model.expect_submit("other", BODY).statuses == {200}
    model.set_clock("own", 1_030_000)
    assert model.expect_submit("own", BODY).statuses == {200}


@pytest.mark.parametrize(("ends", "after"), [("success", 930_000), ("failed", 1_000_000)])
def test_only_a_successful_task_is_paid_and_until_its_end_it_is_open(ends: str, after: int) -> None:
    model = a_model()
    with_task(model, images=2, ends=frozenset({ends}))
    account = model.accounts["own"]

    assert account.balance_microusd() == (930_000, 1_000_000)
    model.set_clock("own", 1_030_000)
    assert account.balance_microusd() == (after, after)


def test_a_submit_that_the_balance_cannot_pay_is_400_or_402() -> None:
    assert a_model(balance_microusd=34_999).expect_submit("own", BODY).statuses == {400, 402}


@pytest.mark.parametrize(
    ("reactions", "seconds", "attempts"),
    [((), 0, 1), ((), 86_400, 1), ((500,), 29, 1), ((500,), 30, 2), ((500,), 86_400, 2),
     ((500, 404, 202, 302), 149, 2), ((500, 404, 202, 302), 150, 3),
     ((500, 404, 202, 302), 749, 3), ((500, 404, 202, 302), 86_400, 4)],
)  # fmt: skip
def test_callbacks_are_retried_at_their_instants(
    reactions: tuple[int, ...], seconds: int, attempts: int
) -> None:
    task = with_task(a_model(), calls_back=True, reactions=reactions)

    assert task.attempts_until(1_030_000 + seconds * 1000) == (attempts, attempts)


def test_only_callback_tasks_have_callbacks_and_none_before_the_end() -> None:
    assert with_task(a_model()).attempts_until(2_000_000) == (0, 0)
    assert with_task(a_model(), calls_back=True).attempts_until(1_029_999) == (0, 0)


@pytest.mark.parametrize("kind", [each for each in Reference if each is not Reference.GOOD])
@pytest.mark.parametrize("side", ["seed", "docs", None])
def test_one_bad_image_of_several_fails_the_task(kind: Reference, side: str | None) -> None:
    facts = Facts(image_fail_codes=side)

    outcome = outcome_of((Reference.GOOD, kind), facts, is_moderated=False)

    assert outcome.ends == {"failed"}
    assert (side == "docs") or "INVALID_IMAGE_URL" in outcome.codes


def test_results_expire_after_15_days() -> None:
    model = a_model()
    task = with_task(model)
    ttl_ms = 15 * 24 * 3600 * 1000

    model.set_clock("own", 1_030_000 + ttl_ms - 1)
    assert model.is_downloadable(task) is True
    model.set_clock("own", 1_030_000 + ttl_ms + 1)
    assert model.is_downloadable(task) is False


@pytest.mark.parametrize(
    ("reactions", "waited_s", "least"),
    [
        ((500,), 29.0, 1),
        ((500,), 31.0, 2),
        ((500, 500), 300.0, 2),
        ((), 31.0, 1),
        ((200,), 31.0, 1),
    ],
)
def test_a_rejected_callback_is_due_again_after_30_s_of_real_time(
    reactions: tuple[int, ...], waited_s: float, least: int
) -> None:
    task = KnownTask(id="t", key="own", calls_back=True, state="success", final=b"{}")
    task.reactions, task.called_s = reactions, 0.0

    assert task.attempts_until(None, waited_s)[0] == least


def test_no_retry_is_due_before_the_first_callback_was_seen() -> None:
    task = KnownTask(id="t", key="own", calls_back=True, state="success", final=b"{}")
    task.reactions = (500,)

    assert task.attempts_until(None, 3600.0)[0] == 1
