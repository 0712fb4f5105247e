"""Predicts whether a submit is accepted, and what an error must name (SUB-2 … SUB-14)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

PROMPT_MAX: Final = 10_000  # Code points (SUB-9).
IMAGES_MAX: Final = 5  # SUB-12
COUNTS: Final = (1, 2, 4)  # SUB-11
RATIOS: Final = ("1:1", "3:2", "2:3")  # SUB-10
MODEL_MODE: Final = "gpt-image-1"
GENERAL_MODES: Final = ("text-to-image", "image-to-image")  # SUB-8
GENERAL_RATIOS: Final = ("auto", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21", "4:5", "5:4")
"""Ratios of the general parameters page, which the model page does not list (SUB-19)."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to reject a body; `path` is what the error must name, empty if it names nothing.

    If `is_open` is true, the contract does not say whether a server rejects the body for it.
    """

    clause: str
    path: str = ""
    is_open: bool = False


def problems_of(body: object, *, is_strict: bool | None) -> tuple[Problem, ...]:
    """Return every problem of a body; empty if every server must accept it.

    `is_strict` is the mock's setting; None if it is not known.
    """
    if not isinstance(body, dict):
        return (Problem(clause="SUB-2"),)
    return (*_outer(body, is_strict), *_inner(body.get("input"), is_strict))


def _outer(body: Mapping[str, Any], is_strict: bool | None) -> Iterator[Problem]:  # noqa: FBT001
    kind = body.get("request_type", "async")
    if kind not in ("async", "callback"):
        yield Problem(clause="SUB-3", path="request_type", is_open=kind is None)
    url = body.get("callback_url")
    if kind == "callback" and not (isinstance(url, str) and url):
        yield Problem(clause="SUB-4", path="callback_url")
    elif isinstance(url, str) and not url.startswith("https://") and is_strict is not False:
        yield Problem(clause="SUB-5", path="callback_url", is_open=is_strict is None)
    route = body.get("provider", "auto")
    if route not in ("auto", "value", "official"):
        yield Problem(clause="SUB-6", path="provider", is_open=route is None)


def _inner(given: object, is_strict: bool | None) -> Iterator[Problem]:  # noqa: FBT001
    if not isinstance(given, dict):
        yield Problem(clause="SUB-7", path="input")
        return
    if given.get("mode") != MODEL_MODE and is_strict is not False:
        is_general = given.get("mode") in (None, *GENERAL_MODES)
        is_open = is_general and is_strict is None
        yield Problem(clause="SUB-8", path="input.mode", is_open=is_open)
    elif given.get("mode", MODEL_MODE) not in (MODEL_MODE, *GENERAL_MODES):
        yield Problem(clause="SUB-8", path="input.mode", is_open=given.get("mode") is None)
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not 1 <= len(prompt) <= PROMPT_MAX:
        yield Problem(clause="SUB-9", path="input.prompt")
    ratio = given.get("aspect_ratio", RATIOS[0])
    if ratio not in RATIOS:
        is_open = ratio is None or ratio in GENERAL_RATIOS
        yield Problem(clause="SUB-10", path="input.aspect_ratio", is_open=is_open)
    images = given.get("num_images", 1)
    if type(images) is not int or images not in COUNTS:
        is_open = images is None or (type(images) is float and images in COUNTS)
        yield Problem(clause="SUB-11", path="input.num_images", is_open=is_open)
    yield from _references(given.get("image_urls", []), is_strict)


def _references(urls: object, is_strict: bool | None) -> Iterator[Problem]:  # noqa: FBT001
    if not isinstance(urls, list):
        yield Problem(clause="SUB-14", path="input.image_urls", is_open=urls is None)
    elif len(urls) > IMAGES_MAX:
        yield Problem(clause="SUB-12", path="input.image_urls")
    elif not all(isinstance(url, str) for url in urls):
        yield Problem(clause="SUB-14", path="input.image_urls")
    elif is_strict is None and any(url.startswith("data:") for url in urls):
        # No page documents data URLs.
        yield Problem(clause="SUB-12", path="input.image_urls", is_open=True)
