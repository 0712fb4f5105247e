"""All cases of the comparison."""

from tests.mock_server.both_ways import (
    chunked_cases,
    framing_cases,
    head_cases,
    length_cases,
    request_line_cases,
    rule_cases,
    sandbox_cases,
)

ALL = [
    *framing_cases.CASES,
    *chunked_cases.CASES,
    *length_cases.CASES,
    *request_line_cases.CASES,
    *head_cases.CASES,
    *sandbox_cases.CASES,
    *rule_cases.CASES,
]
# If the store waits, the callback of the first task may be sent before the second submit.
CONCURRENT = "callbacks_of_tasks_that_end_at_once"
