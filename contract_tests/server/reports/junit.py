"""The report as JUnit XML for CI servers: one test case per case, clauses as properties."""

from typing import Final
from xml.etree import ElementTree as ET

from contract_tests.contract.report_parts import junit_of, put_property, xml_text
from contract_tests.contract.run_facts import shown_facts
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.report import CaseResult, Report


def junit(report: Report) -> bytes:
    counting = [case for case in report.cases if not case.expected_failure]
    suite = ET.Element(
        "testsuite",
        name="contract",
        tests=str(len(report.cases)),
        failures=str(sum(case.verdict is Verdict.FAIL for case in counting)),
        errors=str(sum(case.verdict in _ERRORS for case in report.cases)),
        skipped=str(sum(_is_skipped(case) for case in report.cases)),
        time=f"{report.run.duration_s or sum(case.duration_s for case in report.cases):.3f}",
    )
    if report.run.started_at:
        suite.set("timestamp", report.run.started_at)
    properties = ET.SubElement(suite, "properties")
    put_property(properties, "base_url", report.base_url)
    put_property(properties, "seed", str(report.seed))
    for label, text in shown_facts(report.run):
        put_property(properties, label.lower(), text)
    for case in report.cases:
        _add(suite, case)
    return junit_of(suite)


_ERRORS: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})


def _is_skipped(case: CaseResult) -> bool:
    return case.verdict is Verdict.SKIP or bool(case.expected_failure)


def _add(suite: ET.Element, case: CaseResult) -> None:
    element = ET.SubElement(
        suite, "testcase", name=case.id, classname="contract", time=f"{case.duration_s:.3f}"
    )
    properties = ET.SubElement(element, "properties")
    for clause in case.clauses:
        put_property(properties, "clause", clause)
    put_property(properties, "title", case.title)
    text = "\n".join(
        f"{finding.clause} {finding.verdict}: expected {finding.expected}; seen {finding.seen}"
        + (f"\n\n{finding.reproduction.curl}\n" if finding.reproduction else "")
        for finding in case.findings
        if finding.verdict is not Verdict.PASS
    )
    if _is_skipped(case):
        ET.SubElement(element, "skipped", message=xml_text(case.expected_failure or case.reason))
    elif case.verdict in _ERRORS:
        problem = ET.SubElement(
            element, "error", type=case.verdict, message=xml_text(case.reason or case.verdict)
        )
        problem.text = xml_text(text)
    elif case.verdict is Verdict.FAIL:
        problem = ET.SubElement(element, "failure", message=xml_text(case.reason or case.title))
        problem.text = xml_text(text)
    elif case.verdict is Verdict.WARN:
        ET.SubElement(element, "system-out").text = xml_text(text)
