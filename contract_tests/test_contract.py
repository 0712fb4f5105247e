"""Each case is a test: a failure shows what was expected, what was seen, and the clause."""

import warnings

import pytest

from contract_tests.command.run_output import result_line
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, in_running_order, selected
from contract_tests.server.session import Session


@pytest.mark.parametrize("case", in_running_order(all_cases()), ids=lambda case: case.id)
def test_the_server_keeps(case: Case, apixo_session: Session) -> None:
    if not selected([case], profile=apixo_session.profile):
        pytest.skip(f"is not part of the profile {apixo_session.profile}")
    result = apixo_session.runner.judged(case).result
    if result.verdict is Verdict.SKIP:
        pytest.skip(result.reason)
    if result.verdict is Verdict.WARN:
        warnings.warn(result_line(result), stacklevel=1)
    if result.verdict in {Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE}:
        pytest.fail(result_line(result), pytrace=False)
