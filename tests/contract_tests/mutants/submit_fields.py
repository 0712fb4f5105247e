"""Mutants of SUB: the members of `input`."""

from typing import Any

from contract_tests.server.cases.reference_images import data_url, sample
from tests.contract_tests.mutants.harness import Mutant
from tests.contract_tests.mutants.submit import (
    always,
    always_strict,
    never_strict,
    of_input,
    refuses,
    takes,
)

Body = dict[str, Any]
_PNG = data_url(sample("fox.png"), "image/png")
_NOTHING = "https://nothing.invalid/fox.webp"


def _wide_by_default(given: Body) -> None:
    given.setdefault("aspect_ratio", "3:2")


def _two_by_default(given: Body) -> None:
    given.setdefault("num_images", 2)


def _five_references_refused(given: Body) -> None:
    if isinstance(given.get("image_urls"), list) and len(given["image_urls"]) == 5:
        given["image_urls"] *= 2


def _gif_is_png(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = [
            _PNG if isinstance(url, str) and "gif" in url else url for url in given["image_urls"]
        ]


def _webp_is_unknown(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = [
            _NOTHING if isinstance(url, str) and "webp" in url else url
            for url in given["image_urls"]
        ]


def _old_names(given: Body) -> None:
    if "nVariants" in given:
        given["num_images"] = given["nVariants"]


def _cut(given: Body) -> None:
    if isinstance(given.get("prompt"), str):
        given["prompt"] = given["prompt"][:10_000]


def _bytes(given: Body) -> None:
    if isinstance(given.get("prompt"), str) and len(given["prompt"].encode()) > 10_000:
        given["prompt"] = ""


def _five_thousand(given: Body) -> None:
    if isinstance(given.get("prompt"), str) and len(given["prompt"]) > 5_000:
        given["prompt"] = ""


def _prompt_optional(given: Body) -> None:
    given.setdefault("prompt", "a default")


def _six_images(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = given["image_urls"][:5]


def _images_unread(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = []


def _text_counts(given: Body) -> None:
    if isinstance(given.get("num_images"), str):
        given["num_images"] = int(given["num_images"])


def _output_format_refused(given: Body) -> None:
    if "output_format" in given:
        given["num_images"] = 0


MUTANTS = (
    Mutant(name="one-page-of-modes", clause="SUB-8", make=always(always_strict)),
    Mutant(name="any-mode", clause="SUB-8", make=takes("mode", "dall-e-3", "gpt-image-1")),
    Mutant(name="modes-never-strict", clause="SUB-8", make=always(never_strict)),
    Mutant(name="long-prompts-cut", clause="SUB-9", make=of_input(_cut)),
    Mutant(name="prompt-in-bytes", clause="SUB-9", make=of_input(_bytes)),
    Mutant(name="prompts-of-5000", clause="SUB-9", make=of_input(_five_thousand)),
    Mutant(name="prompt-optional", clause="SUB-9", make=of_input(_prompt_optional)),
    Mutant(name="13-7-taken", clause="SUB-10", make=takes("aspect_ratio", "13:7", "3:2")),
    Mutant(name="2-3-refused", clause="SUB-10", make=refuses("aspect_ratio", "2:3")),
    Mutant(name="wide-by-default", clause="SUB-10", make=of_input(_wide_by_default)),
    Mutant(name="two-by-default", clause="SUB-11", make=of_input(_two_by_default)),
    Mutant(name="three-images-taken", clause="SUB-11", make=takes("num_images", 3, 4)),
    Mutant(name="no-image-taken", clause="SUB-11", make=takes("num_images", 0, 1)),
    Mutant(name="four-images-refused", clause="SUB-11", make=refuses("num_images", 4)),
    Mutant(name="a-text-counts", clause="SUB-11", make=of_input(_text_counts)),
    Mutant(name="six-references-taken", clause="SUB-12", make=of_input(_six_images)),
    Mutant(
        name="five-references-refused", clause="SUB-12", make=of_input(_five_references_refused)
    ),
    Mutant(name="gif-taken", clause="SUB-13", make=of_input(_gif_is_png)),
    Mutant(name="webp-refused", clause="SUB-13", make=of_input(_webp_is_unknown)),
    Mutant(name="references-unread", clause="SUB-13", make=of_input(_images_unread)),
    Mutant(name="nvariants-counts", clause="SUB-16", make=of_input(_old_names)),
    Mutant(name="16-9-taken", clause="SUB-19", make=takes("aspect_ratio", "16:9", "3:2")),
    Mutant(
        name="21-9-is-square",
        clause="SUB-19",
        make=takes("aspect_ratio", "21:9", "auto"),
    ),
    Mutant(name="output-format-refused", clause="SUB-19", make=of_input(_output_format_refused)),
)
