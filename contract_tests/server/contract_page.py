"""Writes docs/contract.md: `python -m contract_tests.server.contract_page > docs/contract.md`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from contract_tests.contract.register import Clause, Register, load_register
from contract_tests.server.catalogue import all_cases

_HEAD = """\
# The contract, clause by clause

What the provider promises for `gpt-image-1`, in our words. Every behaviour of the mock, every case and every finding cites a clause
from here. This page is made by `make docs` from `fixtures/contract/clauses.toml`, and a test holds it to the truth.

**Certainty**: *seed*, the document that the project began with; *docs*, another page of the provider's documentation; *conflict*,
pages disagree (the mock follows the seed and can be switched); *choice*, no page says (ours, and it can be configured). Against the
mock every clause can FAIL; against a live service *conflict* and *choice* give at most WARN.
"""  # noqa: E501  # prose
_GROUPS = {
    "AUTH": "Who may call",
    "ENV": "The envelope",
    "SUB": "Submit: POST /api/v1/generateTask/gpt-image-1",
    "STA": "Status: GET /api/v1/statusTask/gpt-image-1?taskId=…",
    "FAIL": "How a task fails",
    "LIM": "Limits",
    "TIM": "Time",
    "CB": "Callbacks",
    "RES": "Results",
    "BIL": "Billing",
}


def contract_page(register: Register, cases_about: Mapping[str, Sequence[str]]) -> str:
    """Return the page; `cases_about` are the ids of the cases of each clause."""
    return "\n".join([_HEAD, *_lines(register, cases_about)]) + "\n"


def current_page() -> str:
    """Return the page as it should be now."""
    register = load_register()
    cases_about = {
        clause.id: [case.id for case in all_cases() if clause.id in case.clauses]
        for clause in register
    }
    return contract_page(register, cases_about)


def _lines(register: Register, cases_about: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for group, clauses in groupby(register, key=lambda clause: clause.id.partition("-")[0]):
        yield f"## {group}: {_GROUPS[group]}\n"
        yield "| id | clause | certainty | level | sources | cases |"
        yield "|---|---|---|---|---|---|"
        for clause in clauses:
            yield _row(clause, cases_about.get(clause.id, ()))
        yield ""


def _row(clause: Clause, cases: Sequence[str]) -> str:
    sources = ", ".join(f"`{source}`" for source in clause.sources) or "none"
    tested = " ".join(cases) if clause.testable else f"not testable: {clause.why_not}"
    certainty = f"{clause.certainty}. {clause.note}" if clause.note else clause.certainty
    cells = [clause.id, clause.text, certainty, clause.level, sources, tested]
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(current_page())
