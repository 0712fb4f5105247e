"""The report of an audit for CI servers: a test case a case."""

from typing import Final
from xml.etree import ElementTree as ET

from contract_tests.client.reports.report import AuditedCase, AuditReport
from contract_tests.contract.report_parts import junit_of, put_property, xml_text
from contract_tests.contract.verdicts import Verdict

_ERRORS: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})
_SEEN: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE})


def junit(report: AuditReport) -> bytes:
    fails = {Verdict.FAIL, Verdict.WARN} if report.strict else {Verdict.FAIL}
    suite = ET.Element(
        "testsuite",
        name="audit",
        tests=str(len(report.cases)),
        failures=str(sum(case.verdict in fails for case in report.cases)),
        errors=str(sum(case.verdict in _ERRORS for case in report.cases)),
        skipped=str(sum(case.verdict is Verdict.SKIP for case in report.cases)),
        time=f"{sum(case.duration_s for case in report.cases):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    put_property(properties, "client", report.client)
    put_property(properties, "base_url", report.base_url)
    for case in report.cases:
        _add(suite, case, fails)
    return junit_of(suite)


def _add(suite: ET.Element, case: AuditedCase, fails: set[Verdict]) -> None:
    element = ET.SubElement(
        suite, "testcase", name=xml_text(case.id), classname="audit", time=f"{case.duration_s:.3f}"
    )
    properties = ET.SubElement(element, "properties")
    for clause in case.clauses:
        put_property(properties, "clause", clause)
    put_property(properties, "title", case.title)
    told = [finding for finding in case.findings if finding.verdict in _SEEN]
    text = "\n".join(
        f"{each.rule} {each.verdict}: {each.title}; seen {each.seen}. {each.advice}".rstrip()
        for each in told
    )
    message = xml_text(case.reason or (told[0].title if told else case.title))
    if case.verdict is Verdict.SKIP:
        ET.SubElement(element, "skipped", message=message)
    elif case.verdict in _ERRORS:
        problem = ET.SubElement(element, "error", type=case.verdict, message=message)
        problem.text = xml_text(text)
    elif case.verdict in fails:
        ET.SubElement(element, "failure", message=message).text = xml_text(text)
    elif text:
        ET.SubElement(element, "system-out").text = xml_text(text)
