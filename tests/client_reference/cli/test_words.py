"""Printed text is harmless, and every error has an exit status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiTimeout,
    ApixoError,
    SubmissionUncertain,
    Task,
    TaskFailed,
    TransportError,
    UnexpectedResponse,
    WaitTimeout,
)
from client_reference.command.messages import escape
from client_reference.command.output import Exit, exit_of


@given(st.text())
def test_escaped_text_is_printable(text: str) -> None:
    assert escape(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\xa0")))
def test_printable_text_is_not_escaped(text: str) -> None:
    readable = "".join(character for character in text if character.isprintable())

    assert escape(readable) == readable


def _uncertain(cause: ApixoError) -> SubmissionUncertain:
    error = SubmissionUncertain("perhaps")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(TaskFailed("X", None, Task(id="1")), Exit.FAILED, id="failed"),
        pytest.param(ValueError("prompt: no"), Exit.USAGE, id="usage"),
        pytest.param(TransportError("broken"), Exit.REJECTED, id="transport"),
        pytest.param(UnexpectedResponse("html"), Exit.REJECTED, id="unexpected"),
        pytest.param(OSError("full"), Exit.REJECTED, id="disk"),
        pytest.param(WaitTimeout("late", Task(id="1")), Exit.TIMEOUT, id="wait"),
        pytest.param(ApiTimeout("late"), Exit.TIMEOUT, id="request"),
        pytest.param(_uncertain(ApiTimeout("late")), Exit.TIMEOUT, id="submit-timeout"),
        pytest.param(_uncertain(TransportError("cut")), Exit.REJECTED, id="submit-cut"),
    ],
)
def test_error_has_its_exit_status(error: Exception, status: Exit) -> None:
    assert exit_of(error) == status
