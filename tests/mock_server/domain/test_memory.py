"""A server can keep millions of live tasks, because each one takes little memory."""

import tracemalloc
from collections.abc import Callable

from mock_server.domain.commands import Submit
from mock_server.domain.planner import DEFAULT_REQUEST, planned_times
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.submission import SubmissionDecoder
from tests.mock_server.domain.strategies import CATALOGUE, DAY_MS, FAIL_MESSAGES, MODEL, NOW_MS

# 500 bytes without what the allocator adds: it rounds each block up to 16 bytes.
MAX_BYTES = 480
TASKS = 5000
SETTINGS = SandboxSettings(
    rate_limit=TASKS, max_concurrent=TASKS, balance_microusd=10**12, generation_time_ms=10 * DAY_MS
)


def grown_bytes(action: Callable[[], object]) -> int:
    """Return how many bytes are allocated by an action and not freed."""
    tracemalloc.start()
    kept = action()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return grown


def test_live_task_takes_less_than_500_bytes() -> None:
    template = SandboxTemplate(
        seed=1,
        settings=SETTINGS,
        clock=ClockSettings(),
        models=CATALOGUE.models,
        fail_messages=FAIL_MESSAGES,
    )
    sandbox = Sandbox("0123456789abcdef", template, is_broke=False, real_ms=NOW_MS)
    decoder = SubmissionDecoder(MODEL, strict=False, general_ratios=False)

    def submit_all() -> None:
        for number in range(TASKS):
            body = b'{"input": {"prompt": "a fox that crosses the %8d. snowy field at dawn"}}'
            submit = Submit(
                real_ms=NOW_MS + number,
                model_id=MODEL.id,
                submission=decoder.decode(body % number),
                plan_request=DEFAULT_REQUEST,
                base_url="http://mock",
            )
            sandbox.apply(submit)

    grown = grown_bytes(submit_all)

    assert sandbox.task_count == TASKS
    assert grown / TASKS < MAX_BYTES


def test_planned_times_take_less_than_sums() -> None:
    instants_ms = [NOW_MS + number for number in range(TASKS)]

    sums = grown_bytes(
        lambda: [total for each in instants_ms for total in (each + 1000, each + 1000 + 9000)]
    )
    planned = grown_bytes(
        lambda: [
            planned_ms
            for each in instants_ms
            for planned_ms in planned_times(DEFAULT_REQUEST, (1000, 9000), each)
        ]
    )

    assert planned < sums - 6 * TASKS  # 4 bytes for each of both instants.
