"""A mock with unusual settings fails nothing that the contract does not require of it."""

from typing import Any

import msgspec
import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.events import Request, Response
from contract_tests.server.options import Options
from contract_tests.server.session import open_session
from mock_server.settings import Settings
from tests.contract_tests.fakes import FakeWorld, a_case, judged
from tests.contract_tests.mutants.harness import Mutant, serving

PLAIN = Settings(clock="manual", seed=7)
CASES = (
    "S-SUB-009", "S-SUB-010", "S-SUB-04[45]", "S-ENV-006", "S-SUB-085", "S-STA-005",
    "S-STA-015", "S-STA-101",
    "S-CB-001", "S-RES-00[1267]", "S-BIL-00*", "S-TIM-002", "S-FAIL-00[35]",
)  # fmt: skip
ODD: dict[str, dict[str, Any]] = {
    "tiny limits": {"rate_limit": 5, "max_concurrent": 1},
    "no money": {"balance_microusd": 0},
    "price 0": {"price_usd": 0},
    "results that expire at once": {"result_ttl_ms": 2_000},
    "slow": {"generation_time_ms": 600_000},
    "immediate": {"generation_time_ms": 0},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_mock_with_odd_settings_fails_nothing(odd: dict[str, Any]) -> None:
    mutant = Mutant(
        name="odd settings", clause="SUB-1", settings=msgspec.structs.replace(PLAIN, **odd)
    )
    with (
        serving(mutant) as url,
        open_session(Options(base_url=url, api_key="odd", seed=1)) as session,
    ):
        cases = select_cases(all_cases(), select=CASES)
        results = [ran.result for ran in session.run(cases)]

    bad = {each.id: each.reason or each.findings for each in results
           if each.verdict not in {Verdict.PASS, Verdict.SKIP}}  # fmt: skip
    assert bad == {}


@pytest.mark.parametrize(
    ("status", "message"), [(429, "Too many requests"), (402, "Pay"), (400, "Insufficient credits")]
)
def test_a_limit_that_the_case_did_not_provoke_is_its_reason(status: int, message: str) -> None:
    body = msgspec.json.encode({"code": status, "message": message, "data": None})

    def answer(_: Request) -> Response:
        return Response(status=status, body=body)

    result = judged(a_case(), FakeWorld(answer)).result
    provoked = judged(a_case(provokes=(402, 429)), FakeWorld(answer)).result

    assert result.verdict is Verdict.INCONCLUSIVE
    assert "a limit of the server prevents the case" in result.reason
    assert "prevents" not in provoked.reason
