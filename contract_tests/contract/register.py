"""The provider's contract as data: clauses that cases, the mock and reports cite by id."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from contract_tests.contract.data import FIXTURES
from contract_tests.contract.errors import RegisterError

_ID: Final = re.compile(r"(?:AUTH|ENV|SUB|STA|FAIL|LIM|TIM|CB|RES|BIL)-[1-9][0-9]*")


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One promise of the provider.

    `certainty` is the source of the clause. "seed": the document with which the project started.
    "docs": another page of the provider. "conflict": pages disagree. "choice": on no page, decided
    by this project. `level` is how binding the clause is for a server. `note` names the parts of
    the clause with another certainty.
    """

    id: str
    text: str
    certainty: Literal["seed", "docs", "conflict", "choice"]
    note: str | None = None
    level: Literal["MUST", "SHOULD", "MAY"]
    sources: tuple[str, ...]
    testable: bool = True
    why_not: str | None = None


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1]
    sources: tuple[str, ...]
    retired: tuple[str, ...]
    clauses: tuple[Clause, ...]


class Register:
    """The clauses by id, in the order of the contract."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self._clauses = {clause.id: clause for clause in clauses}

    def __iter__(self) -> Iterator[Clause]:
        return iter(self._clauses.values())

    def __getitem__(self, clause_id: str) -> Clause:
        return self._clauses[clause_id]

    def __contains__(self, clause_id: object) -> bool:
        return clause_id in self._clauses

    def __len__(self) -> int:
        return len(self._clauses)


def load_register() -> Register:
    """Return the register. Raise RegisterError, or msgspec.DecodeError for invalid TOML."""
    content = (FIXTURES / "contract" / "clauses.toml").read_bytes()
    return parse_register(msgspec.toml.decode(content))


def parse_register(data: object) -> Register:
    """Return the register in this data. Raise RegisterError for invalid or contradictory data."""
    try:
        document = msgspec.convert(data, _Document)
    except msgspec.ValidationError as error:
        raise RegisterError(str(error)) from error
    problems = list(_problems(document))
    if problems:
        raise RegisterError("; ".join(problems))
    return Register(document.clauses)


def _problems(document: _Document) -> Iterator[str]:
    ids = Counter([*(clause.id for clause in document.clauses), *document.retired])
    yield from (f"{each}: duplicate id" for each, count in ids.items() if count > 1)
    yield from (
        f"{each}: invalid id; must look like STA-5" for each in ids if not _ID.fullmatch(each)
    )
    for clause in document.clauses:
        if not clause.text.strip():
            yield f"{clause.id}: text must not be empty"
        if clause.note is not None and not clause.note.strip():
            yield f"{clause.id}: note must not be empty"
        if clause.why_not is not None and not clause.why_not.strip():
            yield f"{clause.id}: why_not must not be empty"
        if clause.testable != (clause.why_not is None):
            yield f"{clause.id}: needs either testable = true or why_not, not both"
        for source in clause.sources:
            if source not in document.sources and not source.startswith("RFC "):
                yield f'{clause.id}: unknown source "{source}"; sources lists the known ones'
