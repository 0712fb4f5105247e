"""SUB: the members of `input`."""

from typing import Any

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.reading import result_urls
from contract_tests.server.cases.results import size_of
from contract_tests.server.cases.submit.body import FOX, refused, taken
from contract_tests.server.examples import Row, cases_of, error_text
from contract_tests.server.probe import Probe

_URL = "https://images.invalid/fox.png"
_LONGEST = "🦊" * 10_000


def _with(**given: object) -> dict[str, Any]:
    return {"input": FOX | given}


def _without_prompt(**given: object) -> dict[str, Any]:
    return {"input": {"mode": "gpt-image-1"} | given}


_ROWS = (
    taken(50, "a prompt of one character is taken", "SUB-9", _with(prompt="x")),
    taken(51, "a prompt of 10,000 characters is taken", "SUB-9", _with(prompt="x" * 10_000)),
    taken(52, "characters are counted, not bytes", "SUB-9", _with(prompt=_LONGEST)),
    refused(53, "a prompt of 10,001 characters is refused", "SUB-9",
            _with(prompt="x" * 10_001), "input.prompt"),
    refused(59, "10,001 characters are too many, whatever they are", "SUB-9",
            _with(prompt=_LONGEST + "🦊"), "input.prompt"),
    refused(54, "an empty prompt is refused", "SUB-9", _with(prompt=""), "input.prompt"),
    refused(55, "a missing prompt is refused", "SUB-9", _without_prompt(), "input.prompt"),
    refused(56, "a prompt that is null is refused", "SUB-9", _with(prompt=None), "input.prompt"),
    refused(57, "a prompt that is a number is refused", "SUB-9", _with(prompt=7), "input.prompt"),
    refused(58, "a prompt that is a list is refused", "SUB-9", _with(prompt=["fox"]),
            "input.prompt"),
    refused(75, "a prompt that is true is refused", "SUB-9", _with(prompt=True), "input.prompt"),
    taken(60, "aspect_ratio 1:1 is taken", "SUB-10", _with(aspect_ratio="1:1")),
    taken(61, "aspect_ratio 3:2 is taken", "SUB-10", _with(aspect_ratio="3:2")),
    taken(62, "aspect_ratio 2:3 is taken", "SUB-10", _with(aspect_ratio="2:3")),
    refused(63, "aspect_ratio 16:9 is refused", "SUB-10", _with(aspect_ratio="16:9"),
            "input.aspect_ratio"),
    refused(64, "an empty aspect_ratio is refused", "SUB-10", _with(aspect_ratio=""),
            "input.aspect_ratio"),
    refused(65, "an aspect_ratio that is a number is refused", "SUB-10", _with(aspect_ratio=1.5),
            "input.aspect_ratio"),
    refused(66, "an aspect_ratio with a space behind it is refused", "SUB-10",
            _with(aspect_ratio="3:2 "), "input.aspect_ratio"),
    refused(67, "an aspect_ratio that is a list is refused", "SUB-10",
            _with(aspect_ratio=["3:2"]), "input.aspect_ratio"),
    refused(68, "a size in pixels is no aspect_ratio", "SUB-10",
            _with(aspect_ratio="1024x1024"), "input.aspect_ratio"),
    taken(13, "one image is taken", "SUB-11", _with(num_images=1)),
    taken(14, "two images are taken", "SUB-11", _with(num_images=2)),
    taken(15, "four images are taken", "SUB-11", _with(num_images=4)),
    Row(
        id="S-SUB-011", title="three images are refused", clauses=("SUB-11", "SUB-14"),
        body=_with(num_images=3), status=400, names=("input.num_images",), is_smoke=True,
    ),
    refused(12, "no image is refused", "SUB-11", _with(num_images=0), "input.num_images"),
    refused(16, "five images are refused", "SUB-11", _with(num_images=5), "input.num_images"),
    refused(17, "a number of images that is a text is refused", "SUB-11", _with(num_images="2"),
            "input.num_images"),
    refused(18, "a number of images that is no whole number is refused", "SUB-11",
            _with(num_images=1.5), "input.num_images"),
    refused(19, "a number of images that is true is refused", "SUB-11", _with(num_images=True),
            "input.num_images"),
    refused(76, "less than no image is refused", "SUB-11", _with(num_images=-1),
            "input.num_images"),
    refused(77, "a number of images beyond 64 bits is refused", "SUB-11",
            _with(num_images=2**64 + 1), "input.num_images"),
    refused(78, "a number of images in a list is refused", "SUB-11", _with(num_images=[2]),
            "input.num_images"),
    taken(70, "no reference image is taken", "SUB-12", _with(image_urls=[])),
    taken(71, "five reference images are taken", "SUB-12", _with(image_urls=[_URL] * 5)),
    refused(72, "six reference images are refused", "SUB-12", _with(image_urls=[_URL] * 6),
            "input.image_urls"),
    refused(73, "reference images that are no list are refused", "SUB-12",
            _with(image_urls=_URL), "input.image_urls"),
    refused(74, "a reference image that is no text is refused", "SUB-12",
            _with(image_urls=[_URL, 7]), "input.image_urls"),
    refused(79, "a reference image that is null is refused", "SUB-12",
            _with(image_urls=[None]), "input.image_urls"),
    refused(99, "reference images in an object are refused", "SUB-12",
            _with(image_urls={"0": _URL}), "input.image_urls"),
    taken(80, "mode gpt-image-1 is taken", "SUB-8", _with(mode="gpt-image-1")),
    refused(81, "an unknown mode is refused", "SUB-8", _with(mode="dall-e-3"), "input.mode"),
    refused(87, "a mode that is no text is refused", "SUB-8", _with(mode=1), "input.mode"),
    refused(88, "a mode in capitals is refused", "SUB-8", _with(mode="GPT-IMAGE-1"),
            "input.mode"),
    refused(82, "an empty mode is refused", "SUB-8", _with(mode=""), "input.mode"),
)  # fmt: skip


def _modes(probe: Probe) -> None:
    general: tuple[dict[str, Any], ...] = (
        FOX | {"mode": "text-to-image"},
        FOX | {"mode": "image-to-image"},
        {"prompt": FOX["prompt"]},
        {"prompt": FOX["prompt"], "mode": None},
    )
    for is_strict, status in ((False, 200), (True, 400)):
        probe.change(strict=is_strict)
        for given in general:
            answer = probe.submit({"input": given})
            probe.check(
                "SUB-8",
                answer.status == status,
                expected=f"HTTP {status} for mode {given.get('mode', 'left out')}"
                f" where strict is {is_strict}",
                seen=answer,
            )
            if is_strict:
                probe.check(
                    "SUB-14",
                    "input.mode" in error_text(answer),
                    expected="an error that names input.mode",
                    seen=answer,
                )


def _live_mode(probe: Probe) -> None:
    status = 400 if (probe.target.settings or {}).get("strict") else 200
    answer = probe.submit({"input": FOX | {"mode": "text-to-image"}})
    probe.check(
        "SUB-8",
        answer.status == status,
        expected=f"HTTP {status} for mode text-to-image, the name of the general page",
        seen=answer,
    )


def _defaults(probe: Probe) -> None:
    answer = probe.ended(probe.task({"input": FOX}))
    urls = result_urls(answer)
    probe.check(
        "SUB-11",
        len(urls) == 1,
        expected="one picture when num_images is left out",
        seen=answer,
    )
    if urls:
        size = size_of(probe.send("GET", urls[0], key="none").response.body)
        probe.check(
            "SUB-10",
            size is not None and size[0] == size[1],
            expected="a square picture when aspect_ratio is left out",
            seen=f"pixels {size}",
        )


def _null_members(probe: Probe) -> None:
    body = {
        "request_type": None,
        "callback_url": None,
        "provider": None,
        "input": FOX | {"aspect_ratio": None, "num_images": None, "image_urls": None},
    }
    answer = probe.submit(body)
    for clause in ("SUB-3", "SUB-6", "SUB-10", "SUB-11", "SUB-12"):
        probe.check(
            clause,
            answer.status == 200,
            expected="HTTP 200: an optional member that is null counts as left out",
            seen=answer,
        )


CASES = (
    *cases_of(_ROWS),
    Case(
        id="S-SUB-083",
        title="the general page's modes are taken or refused, as configured",
        clauses=("SUB-8", "SUB-14"),
        sends="submits with text-to-image, image-to-image, and without a mode; strict or not",
        expects="200; 400 naming the mode where strict",
        run=_modes,
        needs_control=True,
    ),
    Case(
        id="S-SUB-084",
        title="the general page's mode is taken",
        clauses=("SUB-8",),
        sends="a submit with mode text-to-image",
        expects="HTTP 200 unless the service is strict",
        run=_live_mode,
        images=1,
        worst_images=1,
    ),
    Case(
        id="S-SUB-085",
        title="one square picture is made when nothing is said",
        clauses=("SUB-10", "SUB-11"),
        sends="a submit without num_images and aspect_ratio, and a download",
        expects="one picture of 1:1",
        run=_defaults,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-SUB-086",
        title="an optional member that is null counts as left out",
        clauses=("SUB-3", "SUB-6", "SUB-10", "SUB-11", "SUB-12"),
        sends="a submit with null for every optional member",
        expects="HTTP 200",
        run=_null_members,
        images=1,
        worst_images=1,
        loopback_only="is a small decision of the mock's",
    ),
)
