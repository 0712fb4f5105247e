"""CB: what is sent when a callback task ends, and how often."""

from contract_tests.server.case import Case
from contract_tests.server.cases.callbacks import deliveries, retries

CASES: tuple[Case, ...] = (*deliveries.CASES, *retries.CASES)
