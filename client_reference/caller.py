"""What the caller of a batch has given: prompts, and a function to be told."""

from collections.abc import Iterable, Iterator

from client_reference.conversations import OnUpdate
from client_reference.task import Task


class Caller:
    """Keeps the first error of the caller's own code until the tasks under way have ended.

    They are paid for, so their results are given before it is raised.
    """

    def __init__(self, prompts: Iterable[str], on_update: OnUpdate | None) -> None:
        self._prompts = prompts
        self._on_update = on_update
        self._error: Exception | None = None

    def jobs(self) -> Iterator[tuple[int, str]]:
        """Give each prompt its number; nothing more once something has gone wrong."""
        left = enumerate(self._prompts)
        while self._error is None:
            try:
                job = next(left)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001  # raised at the end
                self._error = error
                return
            yield job

    def tell(self, task: Task) -> None:
        """Call `on_update`, but not again after an error."""
        if self._on_update is None or self._error is not None:
            return
        try:
            self._on_update(task)
        except Exception as error:  # noqa: BLE001  # raised at the end
            self._error = error

    def check(self) -> None:
        """Raise what has gone wrong."""
        if self._error is not None:
            raise self._error
