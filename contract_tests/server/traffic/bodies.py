"""The bodies of submits, from the values of a row."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from contract_tests.contract.data import FIXTURES
from contract_tests.server.model.outcomes import Reference
from contract_tests.server.traffic.array import Row
from contract_tests.server.world import RECEIVER

PLAIN: Final = "a red fox in the snow"
UNREACHABLE_URL: Final = "https://images.invalid/fox.png"
_PROMPTS: Final = {
    "plain": PLAIN,
    "unicode": '\U0001f98a e\u0301 \u202e\u05e9\u05dc\u05d5\u05dd\u202c \u96ea \\u0041 "quoted"',
    "shortest": "\U0001f98a",
    "longest": "fox\u96ea " * 2000,
    "moderated": "a scene of gore",
}
_REFERENCES: Final = {
    "none": (),
    "good-url": ((Reference.GOOD, f"{RECEIVER}/images/fox.png"),),
    # A server that does not fetch images recognises the name of this host as unreachable.
    "unreachable": ((Reference.UNREACHABLE, UNREACHABLE_URL),),
    "too-large": ((Reference.TOO_LARGE, f"{RECEIVER}/images/large.png"),),
}


def _without_unset(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not msgspec.UNSET}


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why every server must reject a body.

    `members` are the ones of the body that are set, and `inputs` those of `input`; a value that is
    UNSET removes the member. `has_url` tells whether the body keeps its callback URL.
    """

    members: Mapping[str, Any] = {}
    inputs: Mapping[str, Any] = {}
    has_url: bool = True

    def applied_to(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body with this defect."""
        given = _without_unset({**body["input"], **self.inputs})
        return _without_unset({**body, "input": given, **self.members})


DEFECTS: Final = (
    Defect(inputs={"prompt": msgspec.UNSET}),
    Defect(inputs={"num_images": 3}),
    Defect(inputs={"aspect_ratio": "5:1"}),
    Defect(members={"request_type": "callback"}, has_url=False),
    Defect(members={"provider": "cheapest"}),
    Defect(members={"request_type": "poll"}),
    Defect(inputs={"mode": "another-model"}),
    Defect(inputs={"prompt": ""}),
    Defect(inputs={"image_urls": ["https://a.invalid"] * 6}),
    Defect(members={"input": msgspec.UNSET}),
)


def simple_body() -> dict[str, Any]:
    """Return the shortest valid body."""
    return {"input": {"mode": "gpt-image-1", "prompt": PLAIN}}


INVALID: Final = tuple(defect.applied_to(simple_body()) for defect in DEFECTS)
"""Bodies that every server must reject, each for one reason."""


def body_of(row: Row, number: int) -> tuple[dict[str, Any], tuple[Reference, ...]]:
    """Return the body of a row's main task without its callback URL, and its images' kinds.

    `number` varies what the row leaves open: the position of a bad image among good ones.
    """
    body = _present({"request_type": row["request_type"], "provider": row["route"]})
    given: dict[str, Any] = _present({"mode": row["mode"], "aspect_ratio": row["ratio"]})
    given["prompt"] = _PROMPTS[row["prompt"]]
    if row["count"] != "absent":
        given["num_images"] = int(row["count"])
    images = _images(row["references"], number)
    if images:
        given["image_urls"] = [url for _, url in images]
    return {**body, "input": given}, tuple(kind for kind, _ in images)


def _present(members: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value != "absent"}


def _images(kind: str, number: int) -> list[tuple[Reference, str]]:
    images = list(_REFERENCES[kind]) if kind in _REFERENCES else [_data(kind, number)]
    extra = (Reference.GOOD, _data_url("fox.webp", "image/webp"))
    if kind != "none" and number % 3 == 1:
        images = [extra, *images]
    elif kind != "none" and number % 3 == 2:
        images = [*images, *[extra] * 4]
    return images


def _data(kind: str, number: int) -> tuple[Reference, str]:
    if kind == "good-data":
        names = (("fox.png", "image/png"), ("fox.jpg", "image/jpeg"), ("fox.webp", "image/webp"))
        return Reference.GOOD, _data_url(*names[number % len(names)])
    if kind == "wrong-format":
        return Reference.WRONG_FORMAT, _data_url("fox.gif", "image/gif")
    content = b64encode(b"This is no image.").decode()
    return Reference.NO_IMAGE, f"data:image/png;base64,{content}"


def _data_url(name: str, media_type: str) -> str:
    content = (FIXTURES / "images" / name).read_bytes()
    return f"data:{media_type};base64,{b64encode(content).decode()}"
