"""Directive, reference images, moderation, default: the first that speaks of the end decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.outcome import Outcome
from mock_server.domain.planner import PlanRequest, plan_request
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.sandbox_settings import ImageFailCodes
from tests.mock_server.domain.strategies import (
    FAIL_MESSAGES,
    bad_images,
    briefs,
    moderated_words,
    outcomes,
)


def brief(
    asked: Outcome | None,
    bad_image: BadImage | None,
    word: str | None,
    image_fail_codes: ImageFailCodes = "seed",
) -> PlanRequest:
    return plan_request(
        asked, bad_image, word, fail_messages=FAIL_MESSAGES, image_fail_codes=image_fail_codes
    )


@given(st.none() | outcomes(), st.none() | bad_images, st.none() | moderated_words)
def test_the_highest_step_that_speaks_decides_the_end(
    asked: Outcome | None, bad_image: BadImage | None, word: str | None
) -> None:
    steps = [
        asked and asked.fail,
        bad_image and "INVALID_IMAGE_URL",
        word and "CONTENT_VIOLATION",
    ]
    decided = brief(asked, bad_image, word).ending.fail_code

    assert decided == next((code for code in steps if code), None)


@given(outcomes(), bad_images, moderated_words)
def test_the_message_is_the_asked_one_or_the_codes_own(
    asked: Outcome, bad_image: BadImage, word: str
) -> None:
    made = brief(asked, bad_image, word)

    assert made.ending.fail_code is not None
    assert made.ending.fail_message == (asked.message or FAIL_MESSAGES[made.ending.fail_code])


@given(st.none() | outcomes(), st.none() | bad_images, st.none() | moderated_words)
def test_every_step_gives_its_reason_in_order_and_one_decides(
    asked: Outcome | None, bad_image: BadImage | None, word: str | None
) -> None:
    made = brief(asked, bad_image, word)
    given_steps = [
        ("directive in the prompt: ", asked not in {None, Outcome()}),
        ("reference image ", bad_image is not None),
        ("moderation: ", word is not None),
        ("default: ", made.ending.fail_code is None),
    ]
    starts = [start for start, is_given in given_steps if is_given]
    is_by_directive = asked is not None and asked.fail is not None
    deciding = [reason for reason in made.ending.reasons if f"→ {made.ending.fail_code}" in reason]

    assert len(made.ending.reasons) == len(starts)
    assert all(map(str.startswith, made.ending.reasons, starts))
    assert len(deciding) == (made.ending.fail_code is not None and not is_by_directive)


@given(outcomes(), bad_images, moderated_words)
def test_a_step_without_effect_says_what_was_decided_before(
    asked: Outcome, bad_image: BadImage, word: str
) -> None:
    made = brief(asked, bad_image, word)

    assert made.ending.reasons[-1].endswith(
        f"no effect, because {made.ending.fail_code} was already decided"
    )


@given(outcomes())
def test_the_directives_reason_names_every_asked_member(asked: Outcome) -> None:
    text = brief(asked, None, None).ending.reasons[0]

    assert (f"fail={asked.fail}" in text) == (asked.fail is not None)
    assert (f"pending={asked.pending_ms}ms" in text) == (asked.pending_ms is not None)
    assert (f"processing={asked.processing_ms}ms" in text) == (asked.processing_ms is not None)
    assert (f"polls={asked.polls}" in text) == (asked.polls is not None)
    assert text.endswith("hold") == asked.hold


@given(outcomes())
def test_hold_goes_before_polls(asked: Outcome) -> None:
    made = brief(asked, None, None)

    assert made.is_held == asked.hold
    assert made.ending.polls == (0 if asked.hold else asked.polls or 0)


@pytest.mark.parametrize(
    ("image_fail_codes", "problem", "code"),
    [
        *(("seed", problem, "INVALID_IMAGE_URL") for problem in ImageProblem),
        ("docs", ImageProblem.UNREACHABLE, "INVALID_IMAGE_URL"),
        ("docs", ImageProblem.WRONG_FORMAT, "UNSUPPORTED_FORMAT"),
        ("docs", ImageProblem.TOO_LARGE, "IMAGE_TOO_LARGE"),
    ],
)
def test_a_bad_image_ends_with_the_code_of_the_chosen_page(
    image_fail_codes: ImageFailCodes, problem: ImageProblem, code: str
) -> None:
    made = brief(None, BadImage(0, problem, "because"), None, image_fail_codes)

    assert made.ending.fail_code == code


@given(st.none() | outcomes(), st.none() | moderated_words)
def test_a_brief_remembers_that_there_were_directives(
    asked: Outcome | None, word: str | None
) -> None:
    assert brief(asked, None, word).has_directives == (asked is not None)


@given(briefs())
def test_every_failure_has_a_message_and_every_brief_a_reason(made: PlanRequest) -> None:
    assert (made.ending.fail_message is None) == (made.ending.fail_code is None)
    assert made.ending.reasons
