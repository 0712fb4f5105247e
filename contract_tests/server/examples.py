"""Cases as rows of data: send this, and see at least that."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case
from contract_tests.server.events import Request, request_of
from contract_tests.server.guard import images_of
from contract_tests.server.probe import Probe

_NAMING = "SUB-14"  # the clause by which an error names the field's path


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One request and the least that its answer must contain.

    Each clause is judged by the whole of it: the status, the members of `reply` (a type stands for
    any value of that type), and `names`, words that the error message must hold. Where SUB-14 is
    one of several clauses, the names are its business alone.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    method: str = "POST"
    path: str = GENERATE
    body: object = None
    content: bytes | None = None
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    key: str = "own"
    status: int
    reply: Mapping[str, Any] = {}
    names: tuple[str, ...] = ()
    is_smoke: bool = False
    provokes: tuple[int, ...] = ()
    loopback_only: str = ""

    @property
    def request(self) -> Request:
        return request_of(
            self.method,
            self.path,
            body=self.body,
            content=self.content,
            query=self.query,
            headers=self.headers,
            key=self.key,
        )

    @property
    def buys(self) -> int:
        """How many images the row buys when the contract is kept."""
        is_submit = self.method == "POST" and self.path == GENERATE
        if not is_submit or self.status != 200 or not isinstance(self.body, dict):
            return 0
        given = self.body.get("input")
        count = given.get("num_images") if isinstance(given, dict) else 1
        return count if isinstance(count, int) else 1


def case_of(row: Row) -> Case:
    body = "" if row.body is None else f" {msgspec.json.encode(row.body).decode()[:200]}"
    return Case(
        id=row.id,
        title=row.title,
        clauses=row.clauses,
        sends=f"{row.method} {row.path}{body}",
        expects=_expected(row),
        run=lambda probe: _judge(row, probe),
        images=row.buys,
        worst_images=images_of(row.request),
        is_smoke=row.is_smoke,
        provokes=row.provokes or ((row.status,) if row.status in {402, 403, 429} else ()),
        loopback_only=row.loopback_only,
    )


def cases_of(rows: Sequence[Row]) -> tuple[Case, ...]:
    return tuple(case_of(row) for row in rows)


def differences(want: Any, got: Any, where: str = "$") -> Iterator[str]:
    """Yield each place where `got` lacks what `want` asks for; further members are fine."""
    if isinstance(want, type):
        if not isinstance(got, want) or (want is int and isinstance(got, bool)):
            yield f"{where} is {got!r}, no {want.__name__}"
    elif isinstance(want, Mapping):
        if not isinstance(got, Mapping):
            yield f"{where} is {got!r}, no object"
            return
        for name, value in want.items():
            if name in got:
                yield from differences(value, got[name], f"{where}.{name}")
            else:
                yield f"{where}.{name} is missing"
    elif type(want) is not type(got) or want != got:
        yield f"{where} is {got!r}, not {want!r}"


def error_text(answer: Answer) -> str:
    """Return all that an error says: its message and the detail in `data`."""
    envelope = answer.json
    if not isinstance(envelope, dict):
        return ""
    return f"{envelope.get('message')} {envelope.get('data')}"


def _judge(row: Row, probe: Probe) -> None:
    answer = probe.send(
        row.method,
        row.path,
        body=row.body,
        content=row.content,
        query=row.query,
        headers=row.headers,
        key=row.key,
    )
    problems = list(differences(row.reply, answer.json)) if row.reply else []
    said = error_text(answer)
    unnamed = [f"the message does not name {name}" for name in row.names if name not in said]
    seen = "; ".join([answer.shown, *problems, *unnamed])
    for clause in row.clauses:
        is_named = not unnamed or (clause != _NAMING and _NAMING in row.clauses)
        holds = answer.status == row.status and not problems and is_named
        probe.check(clause, holds, expected=_expected(row), seen=seen, at=answer)


def _expected(row: Row) -> str:
    parts = [f"HTTP {row.status}"]
    if row.reply:
        parts.append(f"with {_written(row.reply)}")
    if row.names:
        parts.append(f"naming {' and '.join(row.names)}")
    return " ".join(parts)


def _written(want: Any) -> str:
    if isinstance(want, type):
        return f"<{want.__name__}>"
    if isinstance(want, Mapping):
        inner = ", ".join(f"{name}: {_written(value)}" for name, value in want.items())
        return f"{{{inner}}}"
    return repr(want)
