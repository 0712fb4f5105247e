"""The order in which reports show rules, cases and findings: the most urgent first.

After the verdict, rules about paying twice come first, then those about the result, and then those
about manners.
"""

from collections.abc import Iterable

from contract_tests.client.reports.report import AuditedCase, RuleResult
from contract_tests.client.rule import Axis, RuleFinding
from contract_tests.contract.verdicts import severity

_ABOUT_MONEY = "C-PAY-"
_LAST = 3


def rules_by_urgency(rules: Iterable[RuleResult]) -> list[RuleResult]:
    return sorted(rules, key=lambda rule: (severity(rule.verdict), _concern(rule.id, rule.axis)))


def findings_by_urgency(findings: Iterable[RuleFinding]) -> list[RuleFinding]:
    return sorted(
        findings, key=lambda each: (severity(each.verdict), _concern(each.rule, each.axis))
    )


def cases_by_urgency(cases: Iterable[AuditedCase]) -> list[AuditedCase]:
    return sorted(cases, key=lambda case: (severity(case.verdict), _concern_of(case)))


def _concern_of(case: AuditedCase) -> int:
    deciding = (each for each in case.findings if each.verdict is case.verdict)
    return min((_concern(each.rule, each.axis) for each in deciding), default=_LAST)


def _concern(rule_id: str, axis: Axis) -> int:
    if rule_id.startswith(_ABOUT_MONEY):
        return 0
    return 1 if axis is Axis.OUTCOME else 2
