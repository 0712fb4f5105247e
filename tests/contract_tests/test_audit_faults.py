"""The audit knows what a client can notice of each fault."""

import pytest

from contract_tests.client import faults
from contract_tests.client.records import HttpExchange, is_genuine_callback


def exchange(operation: str, injected: str) -> HttpExchange:
    return HttpExchange(
        number=1, at_ms=0, operation=operation, task_id="task", status=200, duration_ms=1.0,
        injected=frozenset({injected}), error="", method="GET", path="/", headers=(), body="",
        response_headers=(), response_body="",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["close", "reset", "half-body", "garbage", "empty", "bad-gzip"])
def test_fault_on_the_wire_breaks_the_response(name: str) -> None:
    assert exchange("status", f"wire {name}").is_broken


@pytest.mark.parametrize("injected", ["wire dribble", "latency", "meaning unknown-state"])
def test_response_that_can_be_read_is_not_broken(injected: str) -> None:
    assert not exchange("status", injected).is_broken


@pytest.mark.parametrize(
    ("name", "is_genuine"),
    [("drop", False), ("garbage", False), ("both", False), ("duplicate", True), ("slow", True)],
)
def test_callback_is_genuine_unless_its_fault_says_otherwise(
    name: str, *, is_genuine: bool
) -> None:
    assert is_genuine_callback(exchange("callback", f"callback {name}")) is is_genuine


def test_faults_of_results_are_told_apart() -> None:
    assert {"meaning result-json-malformed"} == faults.HIDES_RESULT
    assert {
        "meaning result-truncated",
        "meaning result-corrupt",
        "meaning result-wrong-type",
    } == faults.SPOILS_PICTURE
