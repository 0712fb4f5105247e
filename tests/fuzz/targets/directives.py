"""Directives in a prompt: a directive that is written for an outcome is read as that outcome."""

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.directives import parse_directives, without_directives
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.outcome import Outcome
from mock_server.settings import Settings
from tests.fuzz.generators import filled
from tests.fuzz.target import LONGEST_ERROR, Target

_FAIL_CODES = load_catalogue(Settings()).fail_messages
_LONGEST = 10_000  # Characters of a prompt.


def _handle(raw: bytes) -> None:
    prompt = raw.decode(errors="ignore")[:_LONGEST]
    try:
        parse_directives(prompt, _FAIL_CODES)
        without_directives(prompt)
    except InvalidRequest:
        pass


def _check(raw: bytes) -> None:
    prompt = raw.decode(errors="ignore")[:_LONGEST]
    try:
        outcome = parse_directives(prompt, _FAIL_CODES)
    except InvalidRequest as error:
        assert str(error).startswith("input.prompt: directive "), error
        assert len(str(error)) < LONGEST_ERROR
        return
    rest = without_directives(prompt)
    assert len(rest) <= len(prompt)
    if outcome is None:
        assert rest.strip() == prompt.strip()
        return
    written = _written(outcome)
    if written:
        assert parse_directives(f"a [[mock {written}]] b", _FAIL_CODES) == outcome
        assert without_directives(f"a [[mock {written}]]b") == "a b"


def _written(outcome: Outcome) -> str:
    parts = []
    if outcome.fail is not None:
        parts.append(f"fail={outcome.fail}")
    if outcome.message is not None:
        escaped = outcome.message.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'message="{escaped}"')
    if outcome.pending_ms is not None:
        parts.append(f"pending={outcome.pending_ms}ms")
    if outcome.processing_ms is not None:
        parts.append(f"processing={outcome.processing_ms}ms")
    if outcome.polls is not None:
        parts.append(f"polls={outcome.polls}")
    if outcome.hold:
        parts.append("hold")
    return " ".join(parts)


def _seeds() -> list[bytes]:
    return [
        b"a fox",
        b"a [[mock fail=NSFW]] fox",
        b'[[mock fail=CONTENT_VIOLATION message="no \\"foxes\\"" pending=2s processing=500ms]]',
        b"[[mock polls=3]] and [[mock hold]]",
        b"[[mock",
        b"[[mockery]] [[mock x]]",
        "[[mock polls=\u0663]]".encode(),
    ]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(
        b"[[mock ",
        b"]]",
        b"fail=",
        b"message=",
        b"pending=",
        b"processing=",
        b"polls=",
        b"hold",
        b"NSFW",
        b'"',
        b"\\",
    ),
    worst={
        "openings": filled(b"", b"[[mock "),
        "brackets": filled(b"", b"["),
        "white space": filled(b"[[mock", b" "),
        "names": filled(b"[[mock ", b"a "),
        "a long name": filled(b"[[mock ", b"a"),
        "a value without end": filled(b'[[mock a="', b"\\a"),
        "directives": filled(b"", b"[[mock hold]]"),
        "empty directives": filled(b"", b"[[mock]]"),
    },
)
