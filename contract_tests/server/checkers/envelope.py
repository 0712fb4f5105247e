"""ENV-1, ENV-2 and ENV-3: the envelope and the content type of every response."""

from collections.abc import Iterator

from contract_tests.server.checkers.json_values import ABSENT
from contract_tests.server.checkers.operations import PROVIDER_OPERATIONS
from contract_tests.server.checkers.shown import shown
from contract_tests.server.checkers.trace import Exchange, Trace
from contract_tests.server.checkers.violation import Violation


def check_envelopes(trace: Trace) -> Iterator[Violation]:
    """Judge the envelope of every response of the API, errors and rejections included."""
    for exchange in trace.judged:
        if exchange.operation not in PROVIDER_OPERATIONS:
            continue
        yield from _content_type(exchange)
        if exchange.status == 200:
            yield from _success(exchange)
        elif exchange.status >= 400:
            yield from _error(exchange)


def _content_type(exchange: Exchange) -> Iterator[Violation]:
    written = exchange.response.header("Content-Type") or ""
    if written.partition(";")[0].strip().lower() != "application/json":
        yield Violation(
            clause="ENV-3",
            kind="content-type",
            expected="Content-Type: application/json on every response",
            seen=f"Content-Type: {written or 'none'}; {shown(exchange)}",
            event=exchange.number,
        )


def _success(exchange: Exchange) -> Iterator[Violation]:
    envelope = exchange.json
    is_whole = (
        isinstance(envelope, dict)
        and type(envelope.get("code")) is int
        and envelope["code"] == 200
        and envelope.get("message") == "success"
        and envelope.get("data") is not None
    )
    if not is_whole:
        yield Violation(
            clause="ENV-1",
            kind="success",
            expected='HTTP 200 with {"code": 200, "message": "success", "data": …}',
            seen=shown(exchange),
            event=exchange.number,
        )


def _error(exchange: Exchange) -> Iterator[Violation]:
    envelope = exchange.json
    is_envelope = (
        isinstance(envelope, dict)
        and type(envelope.get("code")) is int
        and isinstance(envelope.get("message"), str)
        and bool(envelope["message"])
    )
    if not is_envelope:
        yield Violation(
            clause="ENV-1",
            kind="error",
            expected="an error is an object with an integer code and a message",
            seen=shown(exchange),
            event=exchange.number,
        )
        return
    if envelope["code"] != exchange.status:
        yield Violation(
            clause="ENV-2",
            kind="code",
            expected=f"code equals the HTTP status, {exchange.status}",
            seen=shown(exchange),
            event=exchange.number,
        )
    if not (exchange.data is ABSENT or exchange.data is None or isinstance(exchange.data, dict)):
        yield Violation(
            clause="ENV-2",
            kind="data",
            expected="data of an error is null, absent or an object with a detail",
            seen=shown(exchange),
            event=exchange.number,
        )
