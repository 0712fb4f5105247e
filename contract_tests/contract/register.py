"""The provider's contract as data: clauses that cases, mock and reports cite by id."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from contract_tests.contract.data import FIXTURES
from contract_tests.contract.errors import RegisterError

_ID: Final = re.compile(r"(?:AUTH|ENV|SUB|STA|FAIL|LIM|TIM|CB|RES|BIL)-[1-9][0-9]*")


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One promise. `certainty` says how well it is known, `level` what a server owes.

    seed: the document that the project began with; docs: another page of the provider's;
    conflict: pages disagree; choice: no page says, so it is ours. `note` tells which part of
    the clause is known otherwise.
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
    """Raise RegisterError, or msgspec.DecodeError for a file that is no TOML."""
    content = (FIXTURES / "contract" / "clauses.toml").read_bytes()
    return register_of(msgspec.toml.decode(content))


def register_of(data: object) -> Register:
    """Raise RegisterError for data that do not fit or contradict themselves."""
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
    yield from (f"{each}: the id is used twice" for each, count in ids.items() if count > 1)
    yield from (f"{each}: is no id such as STA-5" for each in ids if not _ID.fullmatch(each))
    for clause in document.clauses:
        if not clause.text.strip():
            yield f"{clause.id}: has no text"
        if clause.note is not None and not clause.note.strip():
            yield f"{clause.id}: its note is empty"
        if clause.why_not is not None and not clause.why_not.strip():
            yield f"{clause.id}: its why_not is empty"
        if clause.testable != (clause.why_not is None):
            yield f"{clause.id}: is either testable or says why_not"
        for source in clause.sources:
            if source not in document.sources and not source.startswith("RFC "):
                yield f"{clause.id}: its source {source!r} is not in the list"
