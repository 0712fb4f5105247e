"""Every fault is declared once, and is carried out by one function."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from mock_server.domain.faults.callback import CallbackFault, CallbackValue
from mock_server.domain.faults.injected import (
    FaultKind,
    Injected,
    fault_text,
    injected_of_text,
)
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.faults_file import faults_json
from mock_server.runtime import callback_faults
from mock_server.web import meaning_faults, wire_faults

FAULTS_JSON = Path(__file__).parents[3] / "fixtures" / "contract" / "faults.json"

DECLARED: Iterable[tuple[FaultKind, WireFault | MeaningFault | CallbackFault]] = [
    *((FaultKind.WIRE, each) for each in WireFault),
    *((FaultKind.MEANING, each) for each in MeaningFault),
    *((FaultKind.CALLBACK, each) for each in CallbackFault),
]


def test_every_wire_fault_has_a_function() -> None:
    assert set(wire_faults._SENDERS) == set(WireFault)


def test_every_meaning_fault_has_a_function() -> None:
    needs_address = {MeaningFault.RESULT_REDIRECTED}

    assert needs_address | {*meaning_faults._OF_STATUS, *meaning_faults._OF_RESULT} == set(
        MeaningFault
    )


def test_every_callback_fault_changes_what_is_sent_or_when() -> None:
    changes_sending = {
        each
        for each in CallbackFault
        if each.traits.delays
        or each.traits.is_early
        or each.traits.is_slow
        or not each.traits.is_sent
    }

    assert changes_sending | set(callback_faults._BODIES) == set(CallbackFault)
    assert not changes_sending & set(callback_faults._BODIES)


@pytest.mark.parametrize(("kind", "fault"), DECLARED)
def test_every_fault_is_described_in_a_sentence(kind: FaultKind, fault: WireFault) -> None:
    assert fault.traits.about[0] in fault.traits.about[0].upper() + "`"
    assert fault.traits.about.endswith(".")


def test_value_of_a_callback_fault_is_a_count_or_a_duration() -> None:
    written_with_value = {each.value: each.traits.value for each in CallbackFault}

    assert {name for name, value in written_with_value.items() if value} == {"duplicate", "delay"}
    assert written_with_value["delay"] is CallbackValue.DURATION


def test_text_of_injected_faults_names_each() -> None:
    injected = (
        Injected(FaultKind.OUTCOME, "NSFW"),
        Injected(FaultKind.LATENCY),
        Injected(FaultKind.WIRE, "close"),
    )

    assert fault_text(injected) == "outcome NSFW, latency, wire close"
    assert injected_of_text(fault_text(injected)) == injected
    assert injected_of_text("") == ()


def test_legacy_text_of_no_fault_is_rejected() -> None:
    with pytest.raises(ValueError, match="nothing"):
        injected_of_text("nothing known")


def test_faults_file_is_current() -> None:
    """`make docs` writes it."""
    assert FAULTS_JSON.read_text(encoding="utf-8") == faults_json()
