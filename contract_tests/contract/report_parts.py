"""The common parts of the reports of runs and audits: file names, JUnit, Markdown, HTML."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, Self
from xml.etree import ElementTree as ET

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from contract_tests.contract.verdicts import Verdict

REPORT: Final = "report.json"
CERTAINTIES: Final = {
    "seed": "stated by the provider's model page",
    "docs": "stated by another page of the provider",
    "conflict": "the provider's pages disagree",
    "choice": "not stated by any page; chosen by this kit",
}
VERDICT_MEANINGS: Final = {
    Verdict.FAIL: "The contract is violated.",
    Verdict.ERROR: "Not tested: the connection or the kit itself failed.",
    Verdict.INCONCLUSIVE: "Not tested: a precondition was not met.",
    Verdict.WARN: "Worth a change, but no firm promise of the provider is violated.",
    Verdict.PASS: "The contract is kept.",
    Verdict.SKIP: "Not tested on purpose; the report says why.",
}
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Counts(msgspec.Struct, frozen=True):
    """How many things of one kind have each verdict, the worst verdict first."""

    label: str
    total: int
    verdicts: tuple[tuple[Verdict, int], ...]
    note: str = ""

    @classmethod
    def of(cls, label: str, verdicts: Iterable[Verdict], note: str = "") -> Self:
        found = Counter(verdicts)
        counts = tuple((verdict, found[verdict]) for verdict in Verdict if found[verdict])
        return cls(label, found.total(), counts, note)

    @property
    def text(self) -> str:
        """The counts as one line, such as "3: 1 FAIL, 2 PASS"."""
        counts = ", ".join(f"{number} {verdict}" for verdict, number in self.verdicts)
        note = f" ({self.note})" if self.note else ""
        return f"{self.total}: {counts}{note}" if counts else f"0{note}"


def markdown_facts(facts: Iterable[tuple[str, str]], counts: Iterable[Counts]) -> Iterator[str]:
    """Yield the first lines of a report as a Markdown list."""
    for label, text in facts:
        yield f"- {label}: {markdown_cell(text)}"
    for each in counts:
        yield f"- {each.label}: {markdown_cell(each.text)}"


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


@cache
def page_environment(package: str) -> Environment:
    """Return the jinja2 environment of a page; templates come from `package`, then from here.

    It is cached, because a thread that compiles a template stops the other threads of a server.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("contract_tests.contract")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
