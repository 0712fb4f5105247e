"""STA: status requests."""

from contract_tests.server.case import Case
from contract_tests.server.cases.status import answers

CASES: tuple[Case, ...] = answers.CASES
