"""The requests after a case: what the server tells about its tasks and balances in the end.

A case about a rejected submit does not read the balance, and one about downloads does not poll
again. These few free requests let the checkers judge such consequences in every case.
"""

from typing import Final

from contract_tests.contract.provider import BALANCE
from contract_tests.server.checkers.operations import PROVIDER_OPERATIONS
from contract_tests.server.checkers.reader import read_trace
from contract_tests.server.checkers.trace import Exchange
from contract_tests.server.probe import Probe

_TASKS_MAX: Final = 4


def look_again(probe: Probe) -> None:
    """Read the newest tasks of each key of the case, and its balance.

    Raises:
        CaseInterruption: The server does not respond, or the recording has no such requests.
    """
    if probe.target.is_live:
        return  # Another request of a live run must be asked for by a case.
    trace = read_trace(probe.events, probe.target)
    current = {sandbox.key: sandbox for sandbox in trace.sandboxes}
    tasks = [task for task in trace.tasks if current[task.sandbox.key] is task.sandbox]
    for task in tasks[-_TASKS_MAX:]:
        probe.read_status(task.id, key=task.sandbox.key)
    for key, sandbox in current.items():
        if any(
            isinstance(step, Exchange) and step.operation in PROVIDER_OPERATIONS
            for step in sandbox.steps
        ):
            probe.send("GET", BALANCE, key=key)
