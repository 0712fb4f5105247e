"""The common parts of the reports of runs and audits: file names, JUnit, Markdown, HTML."""

import re
from typing import Final
from xml.etree import ElementTree as ET

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

REPORT: Final = "report.json"
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_of(report: msgspec.Struct) -> bytes:
    """Return the report as the content of `report.json`."""
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


def junit_of(suite: ET.Element) -> bytes:
    """Return a JUnit document with this `testsuite`."""
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def put_property(parent: ET.Element, name: str, value: str) -> None:
    """Add a JUnit `property` to an element with properties."""
    ET.SubElement(parent, "property", name=name, value=xml_text(value))


def xml_text(text: str) -> str:
    """Return the text with U+FFFD in place of characters that XML does not allow."""
    return _NO_XML.sub("\ufffd", text)


def markdown_cell(text: str) -> str:
    """Return the text as one line, with all Markdown characters escaped."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(text.split()))


def page_environment(package: str) -> Environment:
    """Return the jinja2 environment of a page; templates come from `package`, then from here."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("contract_tests.contract")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
