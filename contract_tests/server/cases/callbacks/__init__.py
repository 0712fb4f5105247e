"""CB: the callbacks of tasks: their content, attempts and retries."""

from contract_tests.server.case import Case
from contract_tests.server.cases.callbacks import deliveries, retries

CASES: tuple[Case, ...] = (*deliveries.CASES, *retries.CASES)
