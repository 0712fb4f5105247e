"""Addresses of results: nobody guesses them, and the same seed gives them again (RES-3)."""

from urllib.parse import quote

from mock_server.domain.chance import draw
from mock_server.domain.task import Task
from mock_server.web.paths import RESULTS_PREFIX

_MAX_RESTORED = 10_000


class ResultAddresses:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._restored: dict[str, int] = {}  # Seeds of restored sandboxes, by their origin.

    def adopt(self, origin: str, seed: int) -> None:
        """Give the tasks of a restored sandbox the addresses that they had."""
        self._restored.pop(origin, None)
        if seed != self._seed:
            self._restored[origin] = seed
            if len(self._restored) > _MAX_RESTORED:
                del self._restored[next(iter(self._restored))]

    def urls(self, task: Task) -> list[str]:
        """Return one address an image (STA-7)."""
        task_id = quote(task.id, safe="")
        return [
            f"{task.base_url}{RESULTS_PREFIX}{task_id}/{number}-{self.token(task, number)}.png"
            for number in range(1, task.num_images + 1)
        ]

    def token(self, task: Task, number: int) -> str:
        """Return the secret part of the address of a task's n-th image."""
        seed = self._restored.get(task.sandbox_id, self._seed) if self._restored else self._seed
        return draw(seed, task.sandbox_id, task.ordinal, f"result {number}").hex()
