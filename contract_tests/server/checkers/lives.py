"""When tasks ended, as far as it is known from all that was seen of them, later events included."""

from contract_tests.server.checkers.json_values import decoded, members_of
from contract_tests.server.checkers.trace import Step, Task
from contract_tests.server.checkers.views import views_of


class Life:
    """The end of a task: `state` is its final state, or None if it was never seen."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._forced = task.forced
        self._last_unfinished = task.last_unfinished
        self._first_final = task.finals[0] if task.finals else None
        self.state = task.end_state or _forced_state(task)
        self.ended_ms = self._believable_end_ms()

    def has_ended_by(self, step: Step) -> bool | None:
        """Return whether the task had ended when a step began, or None if it is unknown."""
        first_final, last_unfinished, forced = (
            self._first_final,
            self._last_unfinished,
            self._forced,
        )
        if first_final is not None and first_final.number < step.number:
            return True
        if last_unfinished is not None and last_unfinished.number > step.number:
            return False
        if forced is not None:
            if forced.number < step.number:
                return True
            if forced.at == step.at:
                return False
        at = step.at
        if self.ended_ms is None or at is None or not at.is_exact:
            return None
        if self.ended_ms == at.low_ms:
            return None
        return self.ended_ms < at.low_ms

    def _believable_end_ms(self) -> int | None:
        """Return completeTime if it does not contradict what was seen; else it proves nothing."""
        final = next((view for view in views_of(self._task) if view.is_final), None)
        told_ms = final.data.get("completeTime") if final else None
        if type(told_ms) is not int:
            return None
        seen, submitted = self._last_unfinished, self._task.submit
        low = seen.at if seen is not None else submitted.at
        high = self._first_final.at if self._first_final is not None else None
        is_late_enough = low is not None and told_ms >= low.low_ms
        is_early_enough = high is None or told_ms <= high.high_ms
        return told_ms if is_late_enough and is_early_enough else None


def _forced_state(task: Task) -> str | None:
    if task.forced is None:
        return None
    state = members_of(decoded(task.forced.response.body)).get("state")
    return state if state in ("success", "failed") else None
