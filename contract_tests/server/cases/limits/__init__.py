"""LIM: the limits of requests and tasks per key, and Retry-After."""

from contract_tests.server.case import Case
from contract_tests.server.cases.limits import documented, rate, retry_after, tasks

CASES: tuple[Case, ...] = (
    *documented.CASES,
    *rate.CASES,
    *retry_after.CASES,
    *tasks.CASES,
)
