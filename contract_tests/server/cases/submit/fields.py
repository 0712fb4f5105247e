"""SUB: the members of `input`."""

from typing import Any

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.pictures import fits, size_of
from contract_tests.server.cases.submit.body import FOX, accepted, rejected
from contract_tests.server.examples import Example, error_text, example_cases
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls

_URL = "https://images.invalid/fox.png"
_LONGEST = "🦊" * 10_000


def _with(**given: object) -> dict[str, Any]:
    return {"input": FOX | given}


def _without_prompt(**given: object) -> dict[str, Any]:
    return {"input": {"mode": "gpt-image-1"} | given}


_ROWS = (
    accepted(50, "a prompt of one character is accepted", "SUB-9", _with(prompt="x")),
    accepted(51, "a prompt of 10,000 characters is accepted", "SUB-9", _with(prompt="x" * 10_000)),
    accepted(52, "characters are counted, not bytes", "SUB-9", _with(prompt=_LONGEST)),
    rejected(53, "a prompt of 10,001 characters is rejected", "SUB-9",
            _with(prompt="x" * 10_001), "input.prompt"),
    rejected(59, "10,001 characters of any kind are rejected", "SUB-9",
            _with(prompt=_LONGEST + "🦊"), "input.prompt"),
    rejected(54, "an empty prompt is rejected", "SUB-9", _with(prompt=""), "input.prompt"),
    rejected(55, "a missing prompt is rejected", "SUB-9", _without_prompt(), "input.prompt"),
    rejected(56, "a prompt that is null is rejected", "SUB-9", _with(prompt=None), "input.prompt"),
    rejected(57, "a prompt that is a number is rejected", "SUB-9", _with(prompt=7), "input.prompt"),
    rejected(58, "a prompt that is a list is rejected", "SUB-9", _with(prompt=["fox"]),
            "input.prompt"),
    rejected(75, "a prompt that is true is rejected", "SUB-9", _with(prompt=True), "input.prompt"),
    accepted(60, "aspect_ratio 1:1 is accepted", "SUB-10", _with(aspect_ratio="1:1")),
    accepted(61, "aspect_ratio 3:2 is accepted", "SUB-10", _with(aspect_ratio="3:2")),
    accepted(62, "aspect_ratio 2:3 is accepted", "SUB-10", _with(aspect_ratio="2:3")),
    rejected(69, "an aspect_ratio that no page lists is rejected", "SUB-10",
            _with(aspect_ratio="13:7"), "input.aspect_ratio"),
    rejected(64, "an empty aspect_ratio is rejected", "SUB-10", _with(aspect_ratio=""),
            "input.aspect_ratio"),
    rejected(65, "an aspect_ratio that is a number is rejected", "SUB-10", _with(aspect_ratio=1.5),
            "input.aspect_ratio"),
    rejected(66, "an aspect_ratio with a trailing space is rejected", "SUB-10",
            _with(aspect_ratio="3:2 "), "input.aspect_ratio"),
    rejected(67, "an aspect_ratio that is a list is rejected", "SUB-10",
            _with(aspect_ratio=["3:2"]), "input.aspect_ratio"),
    rejected(68, "a size in pixels is rejected as aspect_ratio", "SUB-10",
            _with(aspect_ratio="1024x1024"), "input.aspect_ratio"),
    accepted(13, "one image is accepted", "SUB-11", _with(num_images=1)),
    accepted(14, "two images are accepted", "SUB-11", _with(num_images=2)),
    accepted(15, "four images are accepted", "SUB-11", _with(num_images=4)),
    Example(
        id="S-SUB-011", title="three images are rejected", clauses=("SUB-11", "SUB-14"),
        body=_with(num_images=3), status=400, names=("input.num_images",), is_smoke=True,
    ),
    rejected(12, "zero images are rejected", "SUB-11", _with(num_images=0), "input.num_images"),
    rejected(16, "five images are rejected", "SUB-11", _with(num_images=5), "input.num_images"),
    rejected(17, "a number of images that is a string is rejected", "SUB-11", _with(num_images="2"),
            "input.num_images"),
    rejected(18, "a number of images that is not an integer is rejected", "SUB-11",
            _with(num_images=1.5), "input.num_images"),
    rejected(19, "a number of images that is true is rejected", "SUB-11", _with(num_images=True),
            "input.num_images"),
    rejected(76, "a negative number of images is rejected", "SUB-11", _with(num_images=-1),
            "input.num_images"),
    rejected(77, "a number of images beyond 64 bits is rejected", "SUB-11",
            _with(num_images=2**64 + 1), "input.num_images"),
    rejected(78, "a number of images in a list is rejected", "SUB-11", _with(num_images=[2]),
            "input.num_images"),
    accepted(70, "an empty list of reference images is accepted", "SUB-12", _with(image_urls=[])),
    accepted(71, "five reference images are accepted", "SUB-12", _with(image_urls=[_URL] * 5)),
    rejected(72, "six reference images are rejected", "SUB-12", _with(image_urls=[_URL] * 6),
            "input.image_urls"),
    rejected(73, "reference images that are not a list are rejected", "SUB-12",
            _with(image_urls=_URL), "input.image_urls"),
    rejected(74, "a reference image that is not a string is rejected", "SUB-12",
            _with(image_urls=[_URL, 7]), "input.image_urls"),
    rejected(79, "a reference image that is null is rejected", "SUB-12",
            _with(image_urls=[None]), "input.image_urls"),
    rejected(99, "reference images in an object are rejected", "SUB-12",
            _with(image_urls={"0": _URL}), "input.image_urls"),
    accepted(80, "mode gpt-image-1 is accepted", "SUB-8", _with(mode="gpt-image-1")),
    rejected(81, "an unknown mode is rejected", "SUB-8", _with(mode="dall-e-3"), "input.mode"),
    rejected(87, "a mode that is not a string is rejected", "SUB-8", _with(mode=1), "input.mode"),
    rejected(88, "a mode in capitals is rejected", "SUB-8", _with(mode="GPT-IMAGE-1"),
            "input.mode"),
    rejected(82, "an empty mode is rejected", "SUB-8", _with(mode=""), "input.mode"),
)  # fmt: skip


def _modes(probe: Probe) -> None:
    general: tuple[dict[str, Any], ...] = (
        FOX | {"mode": "text-to-image"},
        FOX | {"mode": "image-to-image"},
        {"prompt": FOX["prompt"]},
        {"prompt": FOX["prompt"], "mode": None},
    )
    for is_strict, status in ((False, 200), (True, 400)):
        probe.change_settings(strict=is_strict)
        for given in general:
            answer = probe.submit({"input": given})
            probe.check(
                "SUB-8",
                answer.status == status,
                expected=f"HTTP {status} for mode {given.get('mode', 'omitted')}"
                f" with strict {is_strict}",
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
    probe.require_results()
    answer = probe.poll_until_final(probe.submit_task({"input": FOX}))
    urls = result_urls(answer)
    probe.check(
        "SUB-11",
        len(urls) == 1,
        expected="one image when num_images is omitted",
        seen=answer,
        is_choice=True,
    )
    if urls:
        size = size_of(probe.send("GET", urls[0], key="none").response.body)
        probe.check(
            "SUB-10",
            fits(probe.target, size, "1:1"),
            expected="a square image when aspect_ratio is omitted",
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
            expected="HTTP 200: an optional member that is null counts as omitted",
            seen=answer,
            is_choice=True,
        )


CASES = (
    *example_cases(_ROWS),
    Case(
        id="S-SUB-083",
        title="the general page's modes are accepted or rejected, as configured",
        clauses=("SUB-8", "SUB-14"),
        sends="submits with text-to-image, image-to-image, and without a mode; strict or not",
        expects="200; with strict, 400 naming the mode",
        run=_modes,
        needs_control=True,
    ),
    Case(
        id="S-SUB-084",
        title="the general page's mode is accepted",
        clauses=("SUB-8",),
        sends="a submit with mode text-to-image",
        expects="HTTP 200 unless the service is strict",
        run=_live_mode,
        images=1,
        worst_images=1,
    ),
    Case(
        id="S-SUB-085",
        title="one square image is the default",
        clauses=("SUB-10", "SUB-11"),
        sends="a submit without num_images and aspect_ratio, and a download",
        expects="one image of 1:1",
        run=_defaults,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-SUB-086",
        title="an optional member that is null counts as omitted",
        clauses=("SUB-3", "SUB-6", "SUB-10", "SUB-11", "SUB-12"),
        sends="a submit with null for every optional member",
        expects="HTTP 200",
        run=_null_members,
        images=1,
        worst_images=1,
        loopback_only="a detail that no page specifies",
    ),
)
