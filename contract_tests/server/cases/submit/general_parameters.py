"""SUB-19: parameters that only the general parameters page lists."""

from typing import Any, Final

from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.pictures import size_of
from contract_tests.server.cases.submit.body import FOX
from contract_tests.server.examples import error_text
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls, task_id_of

_CLOSEST: Final = {  # The documented size that is closest to each ratio.
    "auto": (1024, 1024), "16:9": (1536, 1024), "9:16": (1024, 1536), "4:3": (1536, 1024),
    "3:4": (1024, 1536), "21:9": (1536, 1024),
}  # fmt: skip
_MEMBERS: Final[dict[str, Any]] = {
    "resolution": "2K", "output_format": "png", "negative_prompt": "blur",
}  # fmt: skip


def _is_rejected(answer: Answer) -> bool:
    return answer.status == 400 and "input.aspect_ratio" in error_text(answer)


def _one_ratio(probe: Probe) -> None:
    answer = probe.submit(aspect_ratio="16:9")
    is_accepted = task_id_of(answer) is not None
    expected = "a taskId, or HTTP 400 that names input.aspect_ratio: the pages disagree"
    holds = is_accepted or _is_rejected(answer)
    if probe.target.settings and "general_parameters" in probe.target.settings:
        accepts = probe.target.settings["general_parameters"] == "accept"
        expected = "a taskId" if accepts else "HTTP 400 that names input.aspect_ratio"
        holds = is_accepted if accepts else _is_rejected(answer)
    probe.check("SUB-19", holds, expected=expected, seen=answer)


def _ratios(probe: Probe) -> None:
    probe.change_settings(general_parameters="reject")
    for ratio in _CLOSEST:
        answer = probe.submit(aspect_ratio=ratio)
        probe.check(
            "SUB-19",
            _is_rejected(answer),
            expected=f"HTTP 400 that names input.aspect_ratio for {ratio}",
            seen=answer,
        )
    probe.change_settings(general_parameters="accept", generation_time=0)
    for ratio, size in _CLOSEST.items():
        answer = probe.submit(aspect_ratio=ratio)
        task_id = task_id_of(answer)
        probe.check("SUB-19", task_id is not None, expected=f"a taskId for {ratio}", seen=answer)
        if task_id is not None:
            urls = result_urls(probe.read_status(task_id))
            image = probe.send("GET", urls[0], key="none").response.body if urls else b""
            probe.check(
                "SUB-19",
                size_of(image) == size,
                expected=f"an image of {size[0]} by {size[1]} pixels for {ratio}",
                seen=f"pixels {size_of(image)}",
            )


def _members(probe: Probe) -> None:
    answer = probe.submit({"input": FOX | _MEMBERS})
    is_accepted = task_id_of(answer) is not None
    if probe.target.has_control:
        expected, holds = "a taskId: the members are ignored", is_accepted
    else:
        expected = "a taskId, or HTTP 400: the pages disagree"
        holds = is_accepted or answer.status == 400
    probe.check("SUB-19", holds, expected=expected, seen=answer)


CASES = (
    Case(
        id="S-SUB-063",
        title="aspect_ratio 16:9 is accepted or rejected, as configured",
        clauses=("SUB-19",),
        sends="a submit with aspect_ratio 16:9",
        expects="a taskId, or 400 that names input.aspect_ratio",
        run=_one_ratio,
        worst_images=1,
    ),
    Case(
        id="S-SUB-100",
        title="general ratios are rejected, or drawn in the closest documented size",
        clauses=("SUB-19",),
        sends="submits with each ratio of the general page, and downloads",
        expects="400 by default; with general_parameters accept, an image of the closest size",
        run=_ratios,
        needs_control=True,
        time=Time.INSTANT,
    ),
    Case(
        id="S-SUB-105",
        title="further members of the general page are ignored",
        clauses=("SUB-19",),
        sends="a submit with resolution, output_format and negative_prompt",
        expects="a taskId; without a control plane, 400 is possible too",
        run=_members,
        images=1,
        worst_images=1,
    ),
)
