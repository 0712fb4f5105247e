"""SUB for any submission: properties over the public strategies."""

from typing import Any, Final

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case
from contract_tests.server.examples import error_text
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.properties import for_all
from contract_tests.server.reading import result_urls, task_id_of
from contract_tests.server.world import RECEIVER
from contract_tests.strategies import (
    CALLBACK_URL,
    MODES,
    NEAR_MEMBERS,
    PROMPT_MAX,
    Body,
    broken_submissions,
    prompts,
    submissions,
    with_unknown_members,
)

_FOX: Final = {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}
_FIXED_PROMPTS: Final = ("🦊 e\u0301 \u202eab\u202c \x00 \U0001d518", "🦊" * PROMPT_MAX)


def _modes(probe: Probe) -> tuple[str, ...]:
    """Return the modes that every server accepts (SUB-8)."""
    is_strict = (probe.target.settings or {}).get("strict", not probe.target.has_control)
    return MODES[:1] if is_strict else MODES


def _start(probe: Probe, generation_time: int = 30) -> None:
    """Start with an empty sandbox for the next example."""
    probe.reset()
    if probe.target.has_control:
        probe.change_settings(generation_time=generation_time)


def submitted(probe: Probe, body: Body) -> Answer:
    """Submit. Raise PreconditionNotMet if a limit or the balance prevents it."""
    answer = probe.send("POST", GENERATE, body=body)
    is_rejected = answer.status >= 400  # A further member `credits` rejects nothing.
    lacks_credit = is_rejected and "credit" in error_text(answer).lower()
    if answer.status in {402, 429} or lacks_credit:
        raise PreconditionNotMet(f"a limit prevents another task: {answer.shown}")
    return answer


def _valid_submissions(probe: Probe) -> None:
    seen: set[str] = set()

    def judge(body: Body) -> None:
        _start(probe)
        answer = submitted(probe, body)
        task_id = task_id_of(answer)
        probe.check(
            "SUB-1",
            bool(task_id) and task_id not in seen,
            expected=f"HTTP 200 and a unique taskId for the valid body {body!r:.600}",
            seen=answer,
        )

    modes = _modes(probe)
    callback_url = f"{RECEIVER}/any" if len(modes) > 1 else CALLBACK_URL  # SUB-5
    valid = submissions(callback_url=callback_url, modes=modes)
    for_all(probe, valid, judge, fixed=({"input": _FOX},), max_examples=50)


def _any_prompt(probe: Probe) -> None:
    def judge(prompt: str) -> None:
        _start(probe)
        answer = submitted(probe, {"input": _FOX | {"prompt": prompt}})
        task_id = task_id_of(answer)
        shown = f"{len(prompt)} characters, {prompt!a:.200}"
        probe.check(
            "SUB-9",
            task_id is not None,
            expected=f"HTTP 200 for a prompt of {shown}",
            seen=answer,
        )
        if task_id is not None and probe.target.has_control:
            kept = probe.control_task("GET", task_id).get("prompt")
            probe.check(
                "SUB-9",
                kept == prompt,
                expected=f"the prompt is stored unchanged: {shown}",
                seen=f"{kept!a:.200}",
            )

    for_all(probe, prompts(), judge, fixed=_FIXED_PROMPTS, max_examples=60)


def _broken_submissions(probe: Probe) -> None:
    def judge(example: tuple[Body, str]) -> None:
        body, path = example
        _start(probe)
        answer = submitted(probe, body)
        probe.check(
            "SUB-14",
            answer.status == 400 and path in error_text(answer),
            expected=f"HTTP 400 naming {path} for {body!r:.600}",
            seen=answer,
        )

    fixed: tuple[tuple[Body, str], ...] = (
        ({}, "input"),
        ({"input": {"mode": "gpt-image-1"}}, "input.prompt"),
        ({"input": _FOX | {"prompt": 7}}, "input.prompt"),
        ({"input": _FOX | {"aspect_ratio": "13:7"}}, "input.aspect_ratio"),
        ({"input": _FOX | {"num_images": "2"}}, "input.num_images"),
        ({"input": _FOX, "provider": "cheapest"}, "provider"),
    )
    broken = broken_submissions(modes=_modes(probe))
    for_all(probe, broken, judge, fixed=fixed, max_examples=90)


def _unknown_members(probe: Probe) -> None:
    """Check that a body with and without unknown members has the same outcome."""

    def judge(example: tuple[Body, Body]) -> None:
        plain, more = example
        _start(probe, generation_time=0)
        outcomes = [_outcome(probe, submitted(probe, body)) for body in (plain, more)]
        if outcomes[0] is None:
            raise PreconditionNotMet("a plain submit was not accepted")
        probe.check(
            "SUB-15",
            outcomes[0] == outcomes[1],
            expected=f"as without the unknown members, {outcomes[0]}, for {more!r:.600}",
            seen=repr(outcomes[1] or f"rejected: {_last_shown(probe)}"),
        )

    more: Body = {**NEAR_MEMBERS, "input": {**NEAR_MEMBERS, **_FOX}}
    fixed: tuple[tuple[Body, Body], ...] = (({"input": _FOX}, more),)
    examples = with_unknown_members(submissions(callback_url=None, modes=_modes(probe)))
    for_all(probe, examples, judge, fixed=fixed, max_examples=40)


def _outcome(probe: Probe, answer: Answer) -> dict[str, Any] | None:
    """Return the outcome of a submit; without a control plane only its status is known."""
    task_id = task_id_of(answer)
    if task_id is None:
        return None
    if not probe.target.has_control:
        return {"accepted": True}
    task = probe.control_task("GET", task_id)
    names = ("state", "prompt", "aspect_ratio", "num_images", "request_type")
    seen = {name: task.get(name) for name in names} if isinstance(task, dict) else {}
    return seen | {"results": len(result_urls(probe.read_status(task_id)))}


def _last_shown(probe: Probe) -> str:
    event = probe.events[-1]
    response = getattr(event, "response", None)
    return "" if response is None else f"HTTP {response.status} {response.body[:200]!r}"


CASES = (
    Case(
        id="S-SUB-101",
        title="every valid submission is accepted",
        clauses=("SUB-1",),
        sends="valid submits chosen at random, with all members and any text",
        expects="HTTP 200 and a taskId",
        run=_valid_submissions,
        is_slow=True,
        images=1,
        worst_images=1,
    ),
    Case(
        id="S-SUB-102",
        title="any valid prompt is accepted and stored unchanged",
        clauses=("SUB-9",),
        sends="prompts of 1 to 10,000 characters: emoji, bidi, combining marks, NUL and others",
        expects="HTTP 200; with a control plane, the prompt unchanged",
        run=_any_prompt,
        is_slow=True,
        images=2,
        worst_images=2,
    ),
    Case(
        id="S-SUB-103",
        title="a submission with one invalid field is rejected, and the field is named",
        clauses=("SUB-14",),
        sends="valid submits with one member missing, of a wrong type or out of its range",
        expects="HTTP 400 with the path of the member",
        run=_broken_submissions,
        is_slow=True,
        worst_images=12,
    ),
    Case(
        id="S-SUB-104",
        title="unknown members are ignored",
        clauses=("SUB-15",),
        sends="valid submits with and without unknown members, in the body and in input",
        expects="the same for both",
        run=_unknown_members,
        is_slow=True,
        images=2,
        worst_images=2,
    ),
)
