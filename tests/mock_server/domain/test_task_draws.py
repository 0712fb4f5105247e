"""Drawing for tasks in advance does not change them."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.domain.catalogue import Model
from mock_server.domain.chance import draw
from mock_server.domain.planner import drawn_durations_ms
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.task import task_id
from mock_server.domain.task_draws import DrawnTask, TaskDraws
from tests.mock_server.domain.strategies import MODEL, TIMING, sandbox_ids, seeds

SLOW_MODEL = msgspec.structs.replace(MODEL, timing=msgspec.structs.replace(TIMING, sigma=0.9))
SETTINGS = [
    SandboxSettings(),
    SandboxSettings(generation_time_ms=1000),
    SandboxSettings(task_ids="reserved"),
]


def drawn_alone(
    seed: int, origin: str, ordinal: int, model: Model, settings: SandboxSettings
) -> DrawnTask:
    drawn = draw(seed, origin, ordinal, "task")
    average_ms = settings.generation_time_ms or model.generation_time_ms
    is_reserved = settings.task_ids == "reserved"
    return DrawnTask(
        ordinal,
        task_id(origin, drawn[:8], is_reserved=is_reserved),
        next(drawn_durations_ms([drawn], average_ms, model.timing)),
    )


@given(
    seeds,
    sandbox_ids,
    st.lists(
        st.tuples(
            st.integers(1, 40),
            st.sampled_from([MODEL, MODEL, SLOW_MODEL]),
            st.sampled_from(SETTINGS),
        ),
        max_size=4,
    ),
)
@example(seed=1, origin="0" * 16, runs=[(2, MODEL, SETTINGS[0]), (1, SLOW_MODEL, SETTINGS[0])])
@example(seed=1, origin="0" * 16, runs=[(2, MODEL, SETTINGS[0]), (1, MODEL, SETTINGS[2])])
def test_task_is_drawn_as_if_it_were_alone(
    seed: int, origin: str, runs: list[tuple[int, Model, SandboxSettings]]
) -> None:
    draws, ordinal = TaskDraws(seed, origin), 0

    for length, model, settings in runs:
        for _ in range(length):
            ordinal += 1
            taken = draws.take(ordinal, model, settings)
            assert taken == drawn_alone(seed, origin, ordinal, model, settings)


def test_draws_continue_at_any_ordinal() -> None:
    draws = TaskDraws(1, "0123456789abcdef")

    for ordinal in (7, 8, 9, 10, 3, 4, 12):
        taken = draws.take(ordinal, MODEL, SETTINGS[0])
        assert taken == drawn_alone(1, "0123456789abcdef", ordinal, MODEL, SETTINGS[0])


def test_sandbox_with_few_tasks_has_few_draws_in_advance() -> None:
    draws = TaskDraws(1, "0123456789abcdef")

    for ordinal in range(1, 100):
        draws.take(ordinal, MODEL, SETTINGS[0])
        assert len(draws._drawn) < min(ordinal, 32)


def test_nothing_is_drawn_in_advance_while_models_alternate() -> None:
    draws = TaskDraws(1, "0123456789abcdef")

    for ordinal in range(1, 20):
        draws.take(ordinal, [MODEL, SLOW_MODEL][ordinal % 2], SETTINGS[0])
        assert draws._drawn == []
