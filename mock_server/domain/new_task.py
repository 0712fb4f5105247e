"""A submit that was let through becomes a task."""

from mock_server.domain.catalogue import Model
from mock_server.domain.chance import draw
from mock_server.domain.ledger import price_microusd
from mock_server.domain.planner import Brief, make_plan
from mock_server.domain.sandbox_settings import TaskIds
from mock_server.domain.submission import Submission
from mock_server.domain.task import RESERVED_SUFFIX, Task


def new_task(
    model: Model,
    submission: Submission,
    brief: Brief,
    base_url: str,
    *,
    seed: int,
    sandbox_id: str,
    ordinal: int,
    generation_time_ms: int | None,
    task_ids: TaskIds,
    now_ms: int,
) -> Task:
    """Return the sandbox's `ordinal`-th task, its id and its whole life decided.

    The generation time is the model's own when it is None.
    """
    drawn = draw(seed, sandbox_id, ordinal, "task")
    if generation_time_ms is None:
        generation_time_ms = round(model.timing.generation_time_s * 1000)
    suffix = RESERVED_SUFFIX if task_ids == "reserved" else ""
    return Task(
        id=f"task_{sandbox_id}{drawn[:8].hex()}{suffix}",
        model_id=model.id,
        ordinal=ordinal,
        prompt=submission.prompt,
        ratio=submission.ratio,
        num_images=submission.num_images,
        price_microusd=price_microusd(model.price_usd, submission.num_images),
        base_url=base_url,
        callback_url=submission.callback_url,
        created_ms=now_ms,
        has_directives=brief.has_directives,
        plan=make_plan(
            brief,
            drawn[8:],
            now_ms=now_ms,
            generation_time_ms=generation_time_ms,
            timing=model.timing,
        ),
    )
