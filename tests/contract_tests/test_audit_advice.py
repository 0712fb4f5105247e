"""What the audit advises agrees with the pages and with the reference client."""

import pytest

from contract_tests.client.rules import BY_ID
from tests.contract_tests.commands import ROOT


@pytest.mark.parametrize("page", ["client.md", "auditing-a-client.md"])
def test_pages_say_of_retried_submits_what_the_audit_advises(page: str) -> None:
    advice = BY_ID["C-PAY-001"].advice
    text = " ".join((ROOT / "docs" / page).read_text("utf-8").split())
    only, unless = advice.split(". ")[:2]

    assert only == "Retry a submit only after a 429, or if no connection was established"
    assert only in text
    assert unless.partition(":")[0] in text
