"""The URLs of results: they cannot be guessed, and the same seed reproduces them (RES-3)."""

from urllib.parse import quote

from mock_server.domain.chance import draw
from mock_server.domain.task import Task
from mock_server.web.paths import RESULTS_PREFIX

_MAX_RESTORED = 10_000


class ResultAddresses:
    """Derives the URL of each result from a seed and the task."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._restored: dict[str, int] = {}  # The seeds of restored sandboxes by origin.

    def adopt(self, origin: str, seed: int) -> None:
        """Use this seed for the results of a restored sandbox, so that their URLs stay the same."""
        self._restored.pop(origin, None)
        if seed != self._seed:
            self._restored[origin] = seed
            if len(self._restored) > _MAX_RESTORED:
                del self._restored[next(iter(self._restored))]

    def urls(self, task: Task) -> list[str]:
        """Return one URL per image (STA-7)."""
        base_url, task_id = task.order.base_url, task.id
        if not task_id.isidentifier():  # Most ids have nothing to quote, and `quote` takes time.
            task_id = quote(task_id, safe="")
        return [
            f"{base_url}{RESULTS_PREFIX}{task_id}/{number}-{self.token(task, number)}.png"
            for number in range(1, task.order.num_images + 1)
        ]

    def token(self, task: Task, number: int) -> str:
        """Return the secret part of the URL of a task's n-th image, from 1."""
        seed = self._restored.get(task.sandbox_id, self._seed) if self._restored else self._seed
        return draw(seed, task.sandbox_id, task.ordinal, f"result {number}").hex()
