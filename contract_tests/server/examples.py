"""Cases as data: a request, and the required parts of its response."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case
from contract_tests.server.events import Request, build_request
from contract_tests.server.guard import images_of
from contract_tests.server.probe import Probe

_NAMING: Final = "SUB-14"  # An error names the path of the invalid field.
_TYPE_NAMES: Final = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request and the required parts of its response.

    All clauses are judged by the same response: its status, the members of `reply` (a type means
    any value of that type), and `names`, words that the error message must contain. If SUB-14 is
    one of several clauses, only SUB-14 is judged by the names.
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
    is_choice: bool = False
    """Whether this project chose the response, although pages state the clauses."""

    @property
    def request(self) -> Request:
        return build_request(
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
        """The number of images that the request buys from a service that keeps the contract."""
        is_submit = self.method == "POST" and self.path == GENERATE
        if not is_submit or self.status != 200 or not isinstance(self.body, dict):
            return 0
        given = self.body.get("input")
        count = given.get("num_images") if isinstance(given, dict) else 1
        return count if isinstance(count, int) else 1


def example_case(example: Example) -> Case:
    """Return the case that sends the request and judges its answer."""
    body = "" if example.body is None else f" {msgspec.json.encode(example.body).decode()[:200]}"
    return Case(
        id=example.id,
        title=example.title,
        clauses=example.clauses,
        sends=f"{example.method} {example.path}{body}",
        expects=_expected(example),
        run=lambda probe: _judge(example, probe),
        images=example.buys,
        worst_images=images_of(example.request),
        is_smoke=example.is_smoke,
        provokes=example.provokes
        or ((example.status,) if example.status in {402, 403, 429} else ()),
        loopback_only=example.loopback_only,
    )


def example_cases(examples: Sequence[Example]) -> tuple[Case, ...]:
    return tuple(example_case(example) for example in examples)


def differences(want: Any, got: Any, where: str = "$") -> Iterator[str]:
    """Yield each place where `got` differs from `want`; additional members are allowed."""
    if isinstance(want, type):
        if not isinstance(got, want) or (want is int and isinstance(got, bool)):
            yield f"{where}: must be {_TYPE_NAMES.get(want, want.__name__)} (got {got!r})"
    elif isinstance(want, Mapping):
        if not isinstance(got, Mapping):
            yield f"{where}: must be an object (got {got!r})"
            return
        for name, value in want.items():
            if name in got:
                yield from differences(value, got[name], f"{where}.{name}")
            else:
                yield f"{where}.{name}: is missing"
    elif type(want) is not type(got) or want != got:
        yield f"{where}: must be {want!r} (got {got!r})"


def error_text(answer: Answer) -> str:
    """Return the texts of an error: its message and the detail in `data`, if it has one (ENV-2)."""
    envelope = answer.json
    if not isinstance(envelope, dict):
        return ""
    parts = (envelope.get("message"), envelope.get("data"))
    return " ".join(str(part) for part in parts if part is not None)


def _judge(example: Example, probe: Probe) -> None:
    answer = probe.send(
        example.method,
        example.path,
        body=example.body,
        content=example.content,
        query=example.query,
        headers=example.headers,
        key=example.key,
    )
    problems = list(differences(example.reply, answer.json)) if example.reply else []
    text = error_text(answer)
    unnamed = [f"the message does not name {name}" for name in example.names if name not in text]
    seen = "; ".join([answer.shown, *problems, *unnamed])
    for clause in example.clauses:
        is_named = not unnamed or (clause != _NAMING and _NAMING in example.clauses)
        holds = answer.status == example.status and not problems and is_named
        probe.check(
            clause,
            holds,
            expected=_expected(example),
            seen=seen,
            at=answer,
            is_choice=example.is_choice,
        )


def _expected(example: Example) -> str:
    parts = [f"HTTP {example.status}"]
    if example.reply:
        parts.append(f"with {_written(example.reply)}")
    if example.names:
        parts.append(f"naming {' and '.join(example.names)}")
    return " ".join(parts)


def _written(want: Any) -> str:
    if isinstance(want, type):
        return f"<{want.__name__}>"
    if isinstance(want, Mapping):
        inner = ", ".join(f"{name}: {_written(value)}" for name, value in want.items())
        return f"{{{inner}}}"
    return repr(want)
