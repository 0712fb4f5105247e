"""A checkpoint that is damaged, or of a newer version, is not loaded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.errors import DamagedLog, NewerFormat
from mock_server.domain.sandbox.sandbox import Sandbox
from tests.mock_server.domain.checkpoints import (
    OTHER_SERVER,
    of_template,
    saved,
)
from tests.mock_server.domain.driven import Step, run
from tests.mock_server.domain.steps import sequences_of_owners


def test_newer_format_of_a_checkpoint_is_named() -> None:
    raw = bytes([FORMAT + 1]) + saved(of_template().sandbox)[1:]

    with pytest.raises(NewerFormat, match=f"the checkpoint has format {FORMAT + 1}"):
        Sandbox.of_checkpoint(raw, OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_truncated_checkpoint_is_damaged(before: list[Step], data: st.DataObject) -> None:
    raw = saved(run(of_template(), before).sandbox)
    end = data.draw(st.integers(0, len(raw) - 1))

    with pytest.raises(DamagedLog):
        Sandbox.of_checkpoint(raw[:end], OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_checkpoint_without_its_first_or_last_slice_is_damaged(
    before: list[Step], data: st.DataObject
) -> None:
    slices = list(run(of_template(), before).sandbox.checkpoint())
    del slices[data.draw(st.sampled_from([0, len(slices) - 1]))]

    with pytest.raises(DamagedLog):
        Sandbox.of_checkpoint(b"".join(slices), OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_changed_byte_of_a_checkpoint_is_noticed(before: list[Step], data: st.DataObject) -> None:
    raw = bytearray(saved(run(of_template(), before).sandbox))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises((DamagedLog, NewerFormat)):
        Sandbox.of_checkpoint(bytes(raw), OTHER_SERVER)
