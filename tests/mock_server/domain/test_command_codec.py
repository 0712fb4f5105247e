"""A decoded command is the command that was encoded, and does the same."""

from itertools import chain, product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain import commands
from mock_server.domain.command_codec import FORMAT, decode_commands, encode_commands
from mock_server.domain.commands import Command, CountRequest, RecordExchange, Restore, Submit
from mock_server.domain.errors import DamagedLog, NewerFormat
from mock_server.domain.headers import Header
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import DEFAULT_REQUEST, PlanRequest
from mock_server.domain.sandbox import sandbox
from mock_server.domain.snapshot import parse_snapshot
from mock_server.domain.submission import Submission
from mock_server.domain.task import Ending
from tests.mock_server.domain.any_value import any_value
from tests.mock_server.domain.driven import Driven, Step, run
from tests.mock_server.domain.steps import steps
from tests.mock_server.domain.strategies import CATALOGUE, NOW_MS
from tests.properties import examples

TYPES = sorted(sandbox._HANDLERS, key=lambda each: each.__name__)  # All commands.


class Replayed(Driven):
    """A sandbox whose commands come from a log."""

    def apply(self, command: type[Command[Any]], **members: Any) -> Any:
        (decoded,) = decode_commands(encode_commands([command(real_ms=self.real_ms, **members)]))
        return super().apply(type(decoded), **{name: getattr(decoded, name) for name in members})


def restore(driven: Driven) -> None:
    driven.apply(Restore, snapshot=parse_snapshot(driven.document(), CATALOGUE))


@pytest.mark.parametrize("kind", [pytest.param(each, id=each.__name__) for each in TYPES])
@examples(40)
@given(data=st.data())
def test_decoded_command_equals_the_encoded_one(
    kind: type[Command[Any]], data: st.DataObject
) -> None:
    command = data.draw(any_value(kind))

    assert decode_commands(encode_commands([command])) == [command]


def test_every_command_of_the_module_has_a_handler() -> None:
    declared = {
        each
        for each in vars(commands).values()
        if isinstance(each, type) and issubclass(each, Command) and each is not Command
    }

    assert declared == set(TYPES)


@given(st.lists(steps | st.just(restore), max_size=25))
def test_commands_from_a_log_have_the_same_results(sequence: list[Step]) -> None:
    direct, replayed = run(Driven(), sequence), run(Replayed(), sequence)

    assert direct.results == replayed.results
    assert direct.document() == replayed.document()


def test_commands_of_a_batch_stay_in_order() -> None:
    batch: list[Command[Any]] = [
        CountRequest(real_ms=1),
        commands.Reset(real_ms=2),
        CountRequest(real_ms=3),
    ]

    assert decode_commands(encode_commands(batch)) == batch


def recorded(*headers: tuple[bytes, bytes]) -> RecordExchange:
    entry = Entry(NOW_MS, NOW_MS, Operation.STATUS, "", 200, 5, b"", b"{}", headers=headers)
    return RecordExchange(real_ms=NOW_MS, entry=entry)


def submit(plan_request: PlanRequest) -> Submit:
    return Submit(
        real_ms=NOW_MS,
        model_id="gpt-image-1",
        submission=Submission(prompt="a fox", ratio="1:1", num_images=1),
        plan_request=plan_request,
        base_url="http://mock",
    )


def test_equal_headers_of_decoded_entries_share_their_memory() -> None:
    raw = encode_commands([recorded((b"accept", b"*/*")), recorded((b"accept", b"*/*"))])

    one, other = decode_commands(raw)

    assert isinstance(one, RecordExchange)
    assert isinstance(other, RecordExchange)
    assert one.entry.headers is other.entry.headers


def copy_of(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """Return equal headers with another identity, like those of another connection."""
    return (*headers,)


BLOCKS: tuple[tuple[Header, ...], ...] = (
    (),
    ((b"accept", b"*/*"),),
    ((b"accept", b"*/*"), (b"host", b"mock")),
    ((b"cookie", b"c" * 5000),),  # Too long to be shared by several batches.
)


@given(st.lists(st.tuples(st.sampled_from(BLOCKS), st.sampled_from(BLOCKS), st.booleans())))
def test_each_entry_of_a_batch_gets_its_own_headers(
    rows: list[tuple[tuple[Header, ...], tuple[Header, ...], bool]],
) -> None:
    batch: list[Command[Any]] = []
    for headers, answer_headers, has_command_before in rows:
        if has_command_before:
            batch.append(CountRequest(real_ms=NOW_MS))
        record = recorded(*headers)
        entry = msgspec.structs.replace(record.entry, answer_headers=copy_of(answer_headers))
        batch.append(msgspec.structs.replace(record, entry=entry))

    assert decode_commands(encode_commands(batch)) == batch


def test_headers_that_entries_of_a_batch_share_are_written_once() -> None:
    shared = ((b"user-agent", b"x" * 100),)

    one, ten = (len(encode_commands([recorded(*shared)] * count)) for count in (1, 10))

    assert ten - one < 9 * 100


@pytest.mark.parametrize("block_count", range(3))
@pytest.mark.parametrize("entry_count", range(3))
def test_entries_with_missing_headers_are_damaged(entry_count: int, block_count: int) -> None:
    batch = [recorded()] * entry_count
    complete = set(product(range(block_count), repeat=2 * entry_count))

    for places in chain.from_iterable(product(range(-1, 3), repeat=size) for size in range(5)):
        raw = bytes([FORMAT]) + msgspec.msgpack.encode([[[]] * block_count, places, batch])
        if places in complete:
            assert decode_commands(raw) == batch
        else:
            with pytest.raises(DamagedLog):
                decode_commands(raw)


def test_equal_endings_of_decoded_submits_share_their_memory() -> None:
    failing = PlanRequest(ending=Ending(fail_code="NSFW", fail_message="not safe"))
    raw = encode_commands([submit(failing), submit(failing), submit(DEFAULT_REQUEST)])

    one, other, usual = decode_commands(raw)

    assert isinstance(one, Submit)
    assert isinstance(other, Submit)
    assert isinstance(usual, Submit)
    assert one.plan_request.ending is other.plan_request.ending
    assert usual.plan_request is DEFAULT_REQUEST


def test_newer_format_is_named() -> None:
    raw = bytes([FORMAT + 1]) + encode_commands([])[1:]

    with pytest.raises(NewerFormat, match=f"has format {FORMAT + 1}"):
        decode_commands(raw)


@given(st.data())
def test_truncated_log_is_damaged(data: st.DataObject) -> None:
    raw = encode_commands([recorded((b"accept", b"*/*"))])
    end = data.draw(st.integers(0, len(raw) - 1))

    with pytest.raises(DamagedLog):
        decode_commands(raw[:end])


@given(st.binary(max_size=40))
def test_any_other_text_is_damaged_or_a_list_of_commands(rest: bytes) -> None:
    raw = bytes([FORMAT]) + rest

    try:
        decoded = decode_commands(raw)
    except DamagedLog:
        return
    assert decode_commands(encode_commands(decoded)) == decoded


def test_unknown_command_is_damaged() -> None:
    raw = bytes([FORMAT]) + msgspec.msgpack.encode([[], [], [["Unknown", 1]]])

    with pytest.raises(DamagedLog, match="Unknown"):
        decode_commands(raw)
