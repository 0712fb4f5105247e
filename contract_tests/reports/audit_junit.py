"""The report of an audit for CI servers: a test case a case."""

from typing import Final
from xml.etree import ElementTree as ET

from contract_tests.audit.report import AuditedCase, AuditReport
from contract_tests.reports.junit import clean, put_property
from contract_tests.verdicts import Verdict

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
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _add(suite: ET.Element, case: AuditedCase, fails: set[Verdict]) -> None:
    element = ET.SubElement(
        suite, "testcase", name=clean(case.id), classname="audit", time=f"{case.duration_s:.3f}"
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
    message = clean(case.reason or (told[0].title if told else case.title))
    if case.verdict is Verdict.SKIP:
        ET.SubElement(element, "skipped", message=message)
    elif case.verdict in _ERRORS:
        problem = ET.SubElement(element, "error", type=case.verdict, message=message)
        problem.text = clean(text)
    elif case.verdict in fails:
        ET.SubElement(element, "failure", message=message).text = clean(text)
    elif text:
        ET.SubElement(element, "system-out").text = clean(text)
