"""SUB-1 over all cases of a run: no task id is given twice, whatever the key."""

from collections.abc import Iterable
from threading import Lock
from typing import Final

from contract_tests.contract.verdicts import Finding
from contract_tests.server.checkers.reader import read_trace
from contract_tests.server.checkers.shown import shown
from contract_tests.server.events import Event
from contract_tests.server.target import Target

_KEPT: Final = 1_000_000  # Task ids of a run.


class RunIds:
    """Remembers the task ids of the cases that have ended. Several threads may use it."""

    def __init__(self, target: Target) -> None:
        # Cases that share a key reset the mock, which then starts again from its seed.
        self._is_used = target.has_own_keys or not target.has_control
        self._target = target
        self._cases: dict[str, str] = {}
        self._lock = Lock()

    def add(self, case_id: str, events: Iterable[Event]) -> list[Finding]:
        """Add the task ids of a case; return a finding for the first one of another case."""
        if not self._is_used:
            return []
        found: list[Finding] = []
        with self._lock:
            for task in read_trace(events, self._target).tasks:
                other = self._cases.get(task.id, case_id)
                if other != case_id and not found:
                    found.append(
                        Finding(
                            clause="SUB-1",
                            holds=False,
                            expected=f"a task id that no other task has, also not one of {other}",
                            seen=shown(task.submit),
                            event=task.submit.number,
                        )
                    )
                if len(self._cases) < _KEPT:
                    self._cases[task.id] = case_id
        return found
