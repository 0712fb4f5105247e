"""How tasks fail: by a word, by a directive, by a reference image (FAIL-1 … FAIL-5)."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from mock_server.domain.moderation import parse_words
from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver

FIXTURES = Path(__file__).parents[3] / "fixtures"
WORDS = sorted(parse_words((FIXTURES / "moderation.txt").read_text("utf-8")))
LIMIT = 10 * 1024 * 1024


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


PNG = png()
UNREACHABLE = {
    "host-under-invalid": "https://images.invalid/fox.png",
    "host-invalid-itself": "https://invalid/fox.png",
    "host-under-invalid-in-capitals": "https://images.INVALID/fox.png",
    "host-under-invalid-with-a-final-dot": "https://images.invalid./fox.png",
    "another-scheme": "ftp://example.com/fox.png",
    "a-file": "file:///etc/passwd",
    "no-scheme": "example.com/fox.png",
    "no-host": "https:///fox.png",
    "empty": "",
}
WRONG_FORMAT = {
    "gif-by-its-extension": "https://example.com/fox.gif",
    "svg-in-capitals": "https://example.com/fox.SVG",
    "extension-before-a-query": "https://example.com/fox.pdf?format=png",
    "data-that-is-text": "data:text/plain,hello",
    "data-that-says-png-and-is-text": "data:image/png;base64,aGVsbG8=",
    "data-that-is-no-base64": "data:image/png;base64,!!!!",
    "data-without-content": "data:image/png;base64,",
}
USABLE = {
    "jpg": "https://example.com/fox.jpg",
    "jpeg-in-capitals": "https://example.com/FOX.JPEG",
    "webp-with-a-query": "https://example.com/fox.webp?size=1",
    "no-extension": "https://example.com/images/17",
    "unknown-extension": "https://example.com/fox.v2",
    "http": "http://example.com/fox.png",
    "data-that-is-a-png": "data:image/png;base64," + base64.b64encode(PNG).decode(),
}


def named(cases: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("url", cases.values(), ids=cases)


def data_url(size: int) -> str:
    """Return a picture of so many bytes as an address."""
    return "data:image/png;base64," + base64.b64encode(PNG.ljust(size, b"\0")).decode()


def fail_code(api: Api, task_id: str) -> str | None:
    """Return how the task ends."""
    api.advance("3m")
    code: str | None = api.status(task_id).get("failCode")
    return code


@pytest.mark.parametrize("word", WORDS)
def test_a_moderated_word_ends_the_task(api: Api, word: str) -> None:
    assert fail_code(api, api.submit(f"a fox, {word.upper()}!")) == "CONTENT_VIOLATION"


@pytest.mark.parametrize(
    "prompt",
    [
        "full-width: \uff47\uff4f\uff52\uff45",
        "zero-width: go\u200bre",
        "soft hyphen: go\u00adre",
        "“Gore”",
        "gore\n",
    ],
)
def test_a_moderated_word_is_found_in_every_spelling(api: Api, prompt: str) -> None:
    assert fail_code(api, api.submit(prompt)) == "CONTENT_VIOLATION"


def test_a_moderated_word_inside_another_word_is_harmless(api: Api) -> None:
    assert fail_code(api, api.submit("Gregory draws a gorenza, denudes and rapeseed")) is None


def test_the_word_list_can_be_replaced(serve: Serve, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# ours\nHare  # never\n", "utf-8")
    api = serve(Settings(clock="manual", moderation=str(words))).api("sk-key")

    assert fail_code(api, api.submit("a hare")) == "CONTENT_VIOLATION"
    assert fail_code(api, api.submit("gore")) is None


def test_a_failed_task_is_accepted_first_and_tells_code_and_message_at_its_end(api: Api) -> None:
    task_id = api.submit("[[mock fail=CONTENT_VIOLATION]] a fox")
    before = api.status(task_id)
    api.advance("3m")
    failed = api.status(task_id)

    assert before["state"] == "pending"
    assert failed["state"] == "failed"
    assert failed["failCode"] == "CONTENT_VIOLATION"
    assert failed["failMsg"] == "Content violates safety guidelines"
    assert sorted(failed) == sorted(
        ["taskId", "state", "failCode", "failMsg", "createTime", "completeTime", "costTime"]
    )


def test_a_directive_chooses_any_code_and_any_message(api: Api) -> None:
    task_id = api.submit('a fox [[mock fail=GENERATION_FAILED message="no \\"fox\\", sorry"]]')
    api.advance("3m")

    failed = api.status(task_id)

    assert (failed["failCode"], failed["failMsg"]) == ("GENERATION_FAILED", 'no "fox", sorry')


def test_a_directive_goes_before_images_and_images_before_moderation(api: Api) -> None:
    bad_images = ["https://x.invalid/a.png"]

    by_directive = api.submit("gore [[mock fail=MODEL_UNAVAILABLE]]", image_urls=bad_images)
    by_image = api.submit("gore", image_urls=bad_images)

    assert fail_code(api, by_directive) == "MODEL_UNAVAILABLE"
    assert fail_code(api, by_image) == "INVALID_IMAGE_URL"


@named(UNREACHABLE | WRONG_FORMAT)
def test_an_unusable_image_ends_the_task(api: Api, url: str) -> None:
    task_id = api.submit(image_urls=["https://example.com/fox.png", url])

    assert fail_code(api, task_id) == "INVALID_IMAGE_URL"


@named(USABLE)
def test_an_image_that_looks_usable_is_trusted(api: Api, url: str) -> None:
    assert fail_code(api, api.submit(image_urls=[url])) is None


@named(WRONG_FORMAT)
def test_a_wrong_format_has_its_own_code_on_request(api: Api, url: str) -> None:
    api.change(image_fail_codes="docs")

    assert fail_code(api, api.submit(image_urls=[url])) == "UNSUPPORTED_FORMAT"


@named(UNREACHABLE)
def test_an_unreachable_image_has_the_same_code_on_request(api: Api, url: str) -> None:
    api.change(image_fail_codes="docs")

    assert fail_code(api, api.submit(image_urls=[url])) == "INVALID_IMAGE_URL"


def test_an_image_may_have_ten_megabytes_and_not_one_byte_more(api: Api) -> None:
    largest = api.submit(image_urls=[data_url(LIMIT)])
    too_large = api.submit(image_urls=[data_url(LIMIT + 1)])
    api.change(image_fail_codes="docs")
    by_the_docs = api.submit(image_urls=[data_url(LIMIT + 1)])

    assert fail_code(api, largest) is None
    assert fail_code(api, too_large) == "INVALID_IMAGE_URL"
    assert fail_code(api, by_the_docs) == "IMAGE_TOO_LARGE"


def test_fetched_images_are_judged_by_what_is_served_and_not_by_their_name(
    api: Api, receiver: Receiver
) -> None:
    receiver.files = {"/fox.gif": PNG, "/fox.png": b"GIF89a, and no picture"}
    api.change(image_urls="fetch", image_fail_codes="docs")

    good = api.submit(image_urls=[receiver.url("/fox.gif")])
    wrong = api.submit(image_urls=[receiver.url("/fox.png")])
    missing = api.submit(image_urls=[receiver.url("/nothing.png")])

    assert fail_code(api, good) is None
    assert fail_code(api, wrong) == "UNSUPPORTED_FORMAT"
    assert fail_code(api, missing) == "INVALID_IMAGE_URL"


def test_fetching_reaches_no_forbidden_address(api: Api, receiver: Receiver) -> None:
    receiver.files = {"/fox.png": PNG}
    api.change(image_urls="fetch")
    forbidden = receiver.url("/fox.png").replace("127.0.0.1", "0.0.0.0")  # the same machine

    task_id = api.submit(image_urls=[forbidden])

    assert fail_code(api, task_id) == "INVALID_IMAGE_URL"
    assert "unspecified" in " ".join(api.task(task_id)["explain"])
