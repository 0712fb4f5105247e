"""What a submit asks for is looked for in its directives, its images and its words."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mock_server.domain.planner import DEFAULT_REQUEST, Planner, PlanRequest
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.submission import Submission
from tests.mock_server.domain.strategies import CATALOGUE, fail_codes, moderated_words

BAD = BadImage(1, ImageProblem.TOO_LARGE, "because")


def brief(
    prompt: str, bad_image: BadImage | None = None, *, settings: SandboxSettings | None = None
) -> PlanRequest:
    submission = Submission(prompt=prompt, ratio="1:1", num_images=1)
    return Planner(CATALOGUE).request(submission, settings or SandboxSettings(), bad_image)


def test_a_harmless_submit_succeeds_by_default() -> None:
    assert brief("a fox") is DEFAULT_REQUEST


def test_a_bad_image_fails_as_the_settings_say() -> None:
    docs = SandboxSettings(image_fail_codes="docs")

    assert brief("a fox", BAD).ending.fail_code == "INVALID_IMAGE_URL"
    assert brief("a fox", BAD, settings=docs).ending.fail_code == "IMAGE_TOO_LARGE"


@given(moderated_words, fail_codes)
def test_directives_go_before_images_and_images_before_words(word: str, code: str) -> None:
    assert brief(f"a {word} fox").ending.fail_code == "CONTENT_VIOLATION"
    assert brief(f"a {word} fox", BAD).ending.fail_code == "INVALID_IMAGE_URL"
    assert brief(f"a {word} fox [[mock fail={code}]]", BAD).ending.fail_code == code


@given(moderated_words)
def test_what_stands_in_a_directive_is_not_moderated(word: str) -> None:
    asked = brief(f'a fox [[mock fail=NSFW message="{word}"]]')

    assert (asked.ending.fail_code, asked.ending.fail_message, len(asked.ending.reasons)) == (
        "NSFW",
        word,
        1,
    )


@given(moderated_words, st.sampled_from(["hold", "polls=2", "nonsense", "nonsense"]))
def test_strict_knows_no_directives(word: str, directive: str) -> None:
    strict = structs.replace(SandboxSettings(), strict=True)

    assert brief(f"a fox [[mock {directive}]]", settings=strict) is DEFAULT_REQUEST
    assert brief(f"[[mock {word}]]", settings=strict).ending.fail_code == "CONTENT_VIOLATION"
