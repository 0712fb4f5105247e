"""Runs each case as a test; a failure shows the clause, what was expected and what was seen."""

import warnings

import pytest

from contract_tests.command.run_output import result_text
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, select_cases, sort_for_run
from contract_tests.server.session import Session


@pytest.mark.parametrize("case", sort_for_run(all_cases()), ids=lambda case: case.id)
def test_the_server_keeps(case: Case, apixo_session: Session) -> None:
    if not select_cases([case], suite=apixo_session.suite):
        pytest.skip(f"not part of the suite {apixo_session.suite}")
    result = apixo_session.runner.run_case(case).result
    if result.verdict is Verdict.SKIP:
        pytest.skip(result.reason)
    if result.verdict is Verdict.WARN:
        warnings.warn(result_text(result, apixo_session.register), stacklevel=1)
    if result.verdict in {Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE}:
        pytest.fail(result_text(result, apixo_session.register), pytrace=False)
