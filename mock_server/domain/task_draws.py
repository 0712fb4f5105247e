"""Draw the ids and the durations of the tasks of a sandbox.

They depend on seed, origin and ordinal, not on the time. So they are drawn for some tasks in
advance, which takes half the time of drawing them for each submit.
"""

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.chance import draws
from mock_server.domain.planner import drawn_durations_ms
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.task import task_id

_MOST_AT_ONCE = 32


class DrawnTask(msgspec.Struct, frozen=True, gc=False):
    ordinal: int
    id: str
    durations_ms: tuple[int, int]  # Pending and processing.


class TaskDraws:
    """Draws for the tasks of a sandbox in the order of their ordinals."""

    __slots__ = ("_at_once", "_drawn", "_model", "_origin", "_seed", "_settings")

    def __init__(self, seed: int, origin: str) -> None:
        self._seed = seed
        self._origin = origin
        self._at_once = 1
        self._drawn: list[DrawnTask] = []  # For the next tasks, in reverse order.
        self._model: Model | None = None  # `_drawn` is for this model and these settings.
        self._settings: SandboxSettings | None = None

    def take(self, ordinal: int, model: Model, settings: SandboxSettings) -> DrawnTask:
        """Return what is drawn for the task with this ordinal."""
        if self._drawn and model is self._model and settings is self._settings:
            drawn = self._drawn.pop()
            if drawn.ordinal == ordinal:
                return drawn
        self._draw_from(ordinal, model, settings)
        return self._drawn.pop()

    def _draw_from(self, ordinal: int, model: Model, settings: SandboxSettings) -> None:
        """Draw for this task and for some of the next ones."""
        is_as_before = model is self._model and settings is self._settings
        # Draws of a sandbox with few tasks, or with tasks of changing models, would be discarded.
        self._at_once = min(2 * self._at_once, _MOST_AT_ONCE) if is_as_before else 1
        self._model, self._settings = model, settings
        average_ms = settings.generation_time_ms
        if average_ms is None:
            average_ms = model.generation_time_ms
        ordinals = range(ordinal + self._at_once - 1, ordinal - 1, -1)
        chances = list(draws(self._seed, self._origin, ordinals, "task"))
        durations_ms = drawn_durations_ms(chances, average_ms, model.timing)
        is_reserved = settings.task_ids == "reserved"
        ids = (task_id(self._origin, each[:8], is_reserved=is_reserved) for each in chances)
        self._drawn = list(map(DrawnTask, ordinals, ids, durations_ms))
