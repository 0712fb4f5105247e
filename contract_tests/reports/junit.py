"""The report for CI servers: a test case a case, its clauses as properties."""

import re
from typing import Final
from xml.etree import ElementTree as ET

from contract_tests.report import CaseResult, Report
from contract_tests.verdicts import Verdict

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    counting = [case for case in report.cases if not case.expected_failure]
    suite = ET.Element(
        "testsuite",
        name="contract",
        tests=str(len(report.cases)),
        failures=str(sum(case.verdict is Verdict.FAIL for case in counting)),
        errors=str(sum(case.verdict in _ERRORS for case in report.cases)),
        skipped=str(sum(_is_skipped(case) for case in report.cases)),
        time=f"{sum(case.duration_s for case in report.cases):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    put_property(properties, "base_url", report.base_url)
    put_property(properties, "seed", str(report.seed))
    for case in report.cases:
        _add(suite, case)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


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
        for finding in case.findings
        if finding.verdict is not Verdict.PASS
    )
    if _is_skipped(case):
        ET.SubElement(element, "skipped", message=clean(case.expected_failure or case.reason))
    elif case.verdict in _ERRORS:
        problem = ET.SubElement(
            element, "error", type=case.verdict, message=clean(case.reason or case.verdict)
        )
        problem.text = clean(text)
    elif case.verdict is Verdict.FAIL:
        problem = ET.SubElement(element, "failure", message=clean(case.reason or case.title))
        problem.text = clean(text)
    elif case.verdict is Verdict.WARN:
        ET.SubElement(element, "system-out").text = clean(text)


def put_property(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, "property", name=name, value=clean(value))


def clean(text: str) -> str:
    """Replace what XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
