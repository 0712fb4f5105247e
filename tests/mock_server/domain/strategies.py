"""What the domain's tests are fed with: everything that is legal, and small builders."""

from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.outcome import MAX_MESSAGE_LENGTH, Outcome
from mock_server.domain.planner import (
    PlanRequest,
    drawn_durations_ms,
    plan_request,
    planned_times,
)
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.task import Ending, Order, Task
from mock_server.settings import Settings

CATALOGUE = load_catalogue(Settings())
MODEL = CATALOGUE.models["gpt-image-1"]
TIMING = MODEL.timing
FAIL_MESSAGES = CATALOGUE.fail_messages
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000

fail_codes = st.sampled_from(sorted(FAIL_MESSAGES))
moderated_words = st.sampled_from(sorted(CATALOGUE.moderated_words))
durations_ms = st.integers(0, 10) | st.integers(0, 100_000) | st.integers(0, 100 * DAY_MS)
generation_times_ms = st.just(0) | st.integers(1, 1000) | st.integers(1, 7 * DAY_MS)
instants_ms = st.integers(0, 2 * NOW_MS)
seeds = st.integers(-(2**63), 2**63)
sandbox_ids = st.text("0123456789abcdef", min_size=16, max_size=16)
ordinals = st.integers(1, 1_000_000)
chances = st.binary(min_size=16, max_size=16) | st.sampled_from([bytes(16), b"\xff" * 16])
bad_images = st.builds(
    BadImage, st.integers(0, 4), st.sampled_from(ImageProblem), st.text(min_size=1, max_size=20)
)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """Draw any outcome that a directive can ask for."""
    fail = draw(st.none() | fail_codes)
    awkward = st.text('"\\\n] =a', min_size=1, max_size=20)
    messages = awkward | st.text(min_size=1, max_size=20) | st.just("é" * MAX_MESSAGE_LENGTH)
    return Outcome(
        fail=fail,
        message=draw(st.none() | messages) if fail else None,
        pending_ms=draw(st.none() | durations_ms),
        processing_ms=draw(st.none() | durations_ms),
        polls=draw(st.none() | st.integers(1, 5)),
        hold=draw(st.booleans()),
    )


@st.composite
def briefs(draw: st.DrawFn) -> PlanRequest:
    return plan_request(
        draw(st.none() | outcomes()),
        draw(st.none() | bad_images),
        draw(st.none() | moderated_words),
        fail_messages=FAIL_MESSAGES,
        image_fail_codes=draw(st.sampled_from(["seed", "docs"])),
    )


class Times(NamedTuple):
    start_ms: int
    end_ms: int | None


def times(
    brief: PlanRequest | None = None,
    *,
    drawn: bytes = bytes(16),
    now_ms: int = NOW_MS,
    generation_time_ms: int = 30_000,
) -> Times:
    """Return the planned times of a submit."""
    durations_ms = next(drawn_durations_ms([drawn], generation_time_ms, TIMING))
    return Times(*planned_times(brief or PlanRequest(), durations_ms, now_ms))


def task(**changes: Any) -> Task:
    """Return a task of one picture that is pending for 2 s and processing for 8 s.

    The changes are members of the task, its order or its ending.
    """
    chosen: dict[str, Any] = {
        "end_ms": NOW_MS + 10_000,
        "ordinal": 1,
        "id": "task_0123456789abcdef0123456789abcdef",
        "prompt": "a fox",
        "created_ms": NOW_MS,
        "start_ms": NOW_MS + 2000,
        "model_id": MODEL.id,
        "ratio": "1:1",
        "num_images": 1,
        "price_microusd": 35_000,
        "base_url": "http://127.0.0.1:8080",
        "callback_url": None,
    }
    members = chosen | changes
    order = Order(**_taken(members, Order))
    ending = members.pop("ending", None) or Ending(**_taken(members, Ending))
    return Task(order=order, ending=ending, **members)


def _taken(members: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the members that belong to a struct, and remove them from the others."""
    return {name: members.pop(name) for name in kind.__struct_fields__ if name in members}


@st.composite
def planned_tasks(draw: st.DrawFn) -> Task:
    """Draw a task with any legal plan, as it is right after its submit."""
    now_ms, brief = draw(instants_ms), draw(briefs())
    planned = times(
        brief,
        drawn=draw(chances),
        now_ms=now_ms,
        generation_time_ms=draw(generation_times_ms),
    )
    return task(
        id=f"task_{draw(sandbox_ids)}0123456789abcdef",
        ordinal=draw(ordinals),
        num_images=draw(st.sampled_from(MODEL.image_counts)),
        created_ms=now_ms,
        start_ms=planned.start_ms,
        end_ms=planned.end_ms,
        ending=brief.ending,
    )
