"""The report of an audit as JUnit XML: one test case per case of the audit."""

from typing import Final
from xml.etree import ElementTree as ET

from contract_tests.client.exploring.reproduction import lines_of
from contract_tests.client.reports.report import AuditedCase, AuditReport
from contract_tests.client.rule import RuleFinding
from contract_tests.contract.report_parts import junit_of, put_property, xml_text
from contract_tests.contract.run_facts import shown_facts
from contract_tests.contract.verdicts import Verdict

_ERRORS: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})
_REPORTED: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE})


def junit(report: AuditReport) -> bytes:
    """Return the report as JUnit XML; a WARN is a failure only in a strict audit."""
    failing = {Verdict.FAIL, Verdict.WARN} if report.strict else {Verdict.FAIL}
    suite = ET.Element(
        "testsuite",
        name="audit",
        tests=str(len(report.cases)),
        failures=str(sum(case.verdict in failing for case in report.cases)),
        errors=str(sum(case.verdict in _ERRORS for case in report.cases)),
        skipped=str(sum(case.verdict is Verdict.SKIP for case in report.cases)),
        time=f"{report.run.duration_s or sum(case.duration_s for case in report.cases):.3f}",
    )
    if report.run.started_at:
        suite.set("timestamp", report.run.started_at)
    properties = ET.SubElement(suite, "properties")
    put_property(properties, "client", report.client)
    put_property(properties, "base_url", report.base_url)
    if report.seed is not None:
        put_property(properties, "seed", str(report.seed))
    for label, text in shown_facts(report.run):
        put_property(properties, label.lower(), text)
    for case in report.cases:
        _add_case(suite, case, failing)
    return junit_of(suite)


def _add_case(suite: ET.Element, case: AuditedCase, failing: set[Verdict]) -> None:
    element = ET.SubElement(
        suite, "testcase", name=xml_text(case.id), classname="audit", time=f"{case.duration_s:.3f}"
    )
    properties = ET.SubElement(element, "properties")
    for clause in case.clauses:
        put_property(properties, "clause", clause)
    put_property(properties, "title", case.title)
    reported = [finding for finding in case.findings if finding.verdict in _REPORTED]
    lines = [_describe(finding) for finding in reported]
    if case.reproduction is not None:
        lines += lines_of(case.reproduction)
    text = xml_text("\n".join(lines))
    message = xml_text(case.reason or (reported[0].title if reported else case.title))
    if case.verdict is Verdict.SKIP:
        ET.SubElement(element, "skipped", message=message)
    elif case.verdict in _ERRORS:
        ET.SubElement(element, "error", type=case.verdict, message=message).text = text
    elif case.verdict in failing:
        ET.SubElement(element, "failure", message=message).text = text
    elif text:
        ET.SubElement(element, "system-out").text = text


def _describe(finding: RuleFinding) -> str:
    text = f"{finding.rule} {finding.verdict}: {finding.title}\n  seen: {finding.seen}"
    return f"{text}\n  advice: {finding.advice}" if finding.advice else text
