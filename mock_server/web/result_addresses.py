"""The URLs of results: they cannot be guessed, and the same seed reproduces them (RES-3).

They depend on the seed of the sandbox that holds the task. So a restored sandbox keeps its URLs,
and no other sandbox can change them.
"""

from urllib.parse import quote

from mock_server.domain.chance import draw
from mock_server.domain.task import Task
from mock_server.web.paths import RESULTS_PREFIX


def result_urls(task: Task, seed: int) -> list[str]:
    """Return one URL per image (STA-7)."""
    base_url, task_id = task.order.base_url, task.id
    if not task_id.isidentifier():  # Most ids have nothing to quote, and `quote` takes time.
        task_id = quote(task_id, safe="")
    return [
        f"{base_url}{RESULTS_PREFIX}{task_id}/{number}-{result_token(task, number, seed)}.png"
        for number in range(1, task.order.num_images + 1)
    ]


def result_token(task: Task, number: int, seed: int) -> str:
    """Return the secret part of the URL of a task's n-th image, from 1."""
    return draw(seed, task.sandbox_id, task.ordinal, f"result {number}").hex()
