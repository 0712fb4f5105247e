"""SUB-1 to SUB-15: a valid submit is accepted, an invalid one rejected with the reason."""

from collections.abc import Iterator, Mapping
from typing import Final

from contract_tests.contract.fail_codes import named_fail_code
from contract_tests.server.checkers.operations import Operation
from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import Exchange, Trace
from contract_tests.server.checkers.validity import Validity, rules_of, validity_of
from contract_tests.server.checkers.violation import Violation

_JUDGED_ELSEWHERE: Final = frozenset({401, 403, 429})
_ABOUT: Final[Mapping[str, str]] = {
    "request_type": "SUB-3",
    "callback_url": "SUB-4",
    "provider": "SUB-6",
    "input.mode": "SUB-8",
    "input.prompt": "SUB-9",
    "input.aspect_ratio": "SUB-10",
    "input.num_images": "SUB-11",
    "input.image_urls": "SUB-12",
}


def check_submits(trace: Trace) -> Iterator[Violation]:
    """Judge whether each submit should have been accepted, and the answer that it got."""
    for exchange in trace.judged:
        if exchange.operation is not Operation.SUBMIT or exchange.sandbox is None:
            continue
        if exchange.status in _JUDGED_ELSEWHERE:
            continue
        settings = exchange.settings if trace.has_control else None
        validity = validity_of(exchange.request, rules_of(settings))
        if validity.problems:
            yield from _invalid(exchange, validity)
        elif validity.is_valid:
            yield from _valid(trace, exchange, validity)
        yield from _accepted(exchange)


def _accepted(exchange: Exchange) -> Iterator[Violation]:
    """Require a task id; other statuses of success are no success (SUB-1)."""
    if not 200 <= exchange.status < 300:
        return
    task_id = exchange.members.get("taskId")
    if exchange.status != 200 or not isinstance(task_id, str) or not task_id:
        expected = "HTTP 200 with data.taskId, a non-empty string"
        yield _violation("SUB-1", "id", expected, exchange)


def _invalid(exchange: Exchange, validity: Validity) -> Iterator[Violation]:
    first = validity.problems[0]
    if 200 <= exchange.status < 300:
        where = first.path or "the body"
        yield _violation(first.clause, "accepted", f"HTTP 400: {where} is not valid", exchange)
        return
    if exchange.status != 400:
        yield _violation("SUB-14", "status", "HTTP 400 for an invalid submit", exchange)
        return
    paths = [problem.path for problem in validity.problems]
    is_named = any(path in exchange.error_text for path in paths)
    if not is_named and not validity.is_open and not _lacks_credit(exchange):
        expected = f"an error that names {' or '.join(paths)}"
        yield _violation("SUB-14", "path", expected, exchange)


def _valid(trace: Trace, exchange: Exchange, validity: Validity) -> Iterator[Violation]:
    if exchange.status < 400 or _lacks_credit(exchange):
        return
    if validity.has_unknown_members:
        if trace.target.is_live:
            return  # No page says that they are ignored.
        yield _violation("SUB-15", "rejected", "HTTP 200: unknown members are ignored", exchange)
        return
    if not trace.has_control and 400 <= exchange.status < 500:
        if exchange.status != 400:
            return  # Another page may define this answer, such as 403 for forbidden content.
        if named_fail_code(exchange.error_text):
            return  # FAIL-6: the newest errors page lets the submit itself fail.
    named = [clause for path, clause in _ABOUT.items() if path in exchange.error_text]
    yield _violation(
        named[-1] if named else "SUB-1", "rejected", "HTTP 200: the submit is valid", exchange
    )


def _lacks_credit(exchange: Exchange) -> bool:
    return exchange.status in {400, 402} and "credit" in exchange.error_text.lower()


def _violation(clause: str, kind: str, expected: str, exchange: Exchange) -> Violation:
    request = exchange.request.body[:300].decode("utf-8", "replace")
    return Violation(
        clause=clause,
        kind=kind,
        expected=expected,
        seen=f"{shown(exchange)} for {request}",
        event=exchange.number,
    )
