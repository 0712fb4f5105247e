"""The rules of the audit, in the order of the report."""

from collections.abc import Mapping
from typing import Final

from contract_tests.client.rule import Rule
from contract_tests.client.rules import (
    callbacks,
    failure,
    files,
    limits,
    money,
    polling,
    request,
    results,
    robustness,
    secrecy,
    throttling,
)

RULES: Final[tuple[Rule, ...]] = (
    *request.RULES,
    *secrecy.RULES,
    *polling.RULES,
    *throttling.RULES,
    *limits.RULES,
    *money.RULES,
    *results.RULES,
    *files.RULES,
    *failure.RULES,
    *callbacks.RULES,
    *robustness.RULES,
)
BY_ID: Final[Mapping[str, Rule]] = {rule.id: rule for rule in RULES}
