"""SUB: the body of a submit."""

from contract_tests.server.case import Case
from contract_tests.server.cases.submit import body, callback_url, fields, general_parameters

CASES: tuple[Case, ...] = (
    *body.CASES,
    *callback_url.CASES,
    *fields.CASES,
    *general_parameters.CASES,
)
