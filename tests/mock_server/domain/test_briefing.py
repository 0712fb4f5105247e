"""What a submit asks for is looked for in its directives, its images and its words."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mock_server.domain.briefing import Briefing
from mock_server.domain.catalogue import Model
from mock_server.domain.planner import DEFAULT_BRIEF, Brief
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.sandbox_settings import ImageUrls, SandboxSettings
from mock_server.domain.submission import Submission
from tests.mock_server.domain.strategies import CATALOGUE, MODEL, fail_codes, moderated_words


class Judge:
    """Finds fault with what is called bad, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[ImageUrls] = []

    async def first_bad(self, urls: Sequence[str], model: Model, how: ImageUrls) -> BadImage | None:
        self.asked.append(how)
        if "bad" in urls:
            return BadImage(urls.index("bad"), ImageProblem.TOO_LARGE, "because")
        return None


def brief(
    prompt: str,
    *image_urls: str,
    settings: SandboxSettings | None = None,
    judge: Judge | None = None,
) -> Brief:
    briefing = Briefing(CATALOGUE, judge or Judge())
    submission = Submission(prompt=prompt, ratio="1:1", num_images=1, image_urls=image_urls)
    return asyncio.run(briefing.brief(MODEL, submission, settings or SandboxSettings()))


def test_a_harmless_submit_succeeds_by_default() -> None:
    judge = Judge()

    assert brief("a fox", judge=judge) is DEFAULT_BRIEF
    assert brief("a fox", "good", "good", judge=judge) is DEFAULT_BRIEF
    assert judge.asked == ["trust"]


def test_the_images_are_judged_as_the_settings_say() -> None:
    judge = Judge()
    settings = SandboxSettings(image_urls="fetch", image_fail_codes="docs")

    assert brief("a fox", "good", "bad", settings=settings, judge=judge).fail_code == (
        "IMAGE_TOO_LARGE"
    )
    assert judge.asked == ["fetch"]


@given(moderated_words, fail_codes)
def test_directives_go_before_images_and_images_before_words(word: str, code: str) -> None:
    assert brief(f"a {word} fox").fail_code == "CONTENT_VIOLATION"
    assert brief(f"a {word} fox", "bad").fail_code == "INVALID_IMAGE_URL"
    assert brief(f"a {word} fox [[mock fail={code}]]", "bad").fail_code == code


@given(moderated_words)
def test_what_stands_in_a_directive_is_not_moderated(word: str) -> None:
    asked = brief(f'a fox [[mock fail=NSFW message="{word}"]]')

    assert (asked.fail_code, asked.fail_message, len(asked.reasons)) == ("NSFW", word, 1)


@given(moderated_words, st.sampled_from(["hold", "polls=2", "nonsense", "nonsense"]))
def test_strict_knows_no_directives(word: str, directive: str) -> None:
    strict = structs.replace(SandboxSettings(), strict=True)

    assert brief(f"a fox [[mock {directive}]]", settings=strict) is DEFAULT_BRIEF
    assert brief(f"[[mock {word}]]", settings=strict).fail_code == "CONTENT_VIOLATION"
