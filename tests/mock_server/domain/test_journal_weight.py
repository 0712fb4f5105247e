"""The weight of a journal is about the memory that it uses, whatever its entries contain."""

import gc
import tracemalloc
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import RecordExchange, Restore, TakeSnapshot, TrimJournal
from mock_server.domain.faults.injected import FaultKind, Injected
from mock_server.domain.headers import Header
from mock_server.domain.journal import MAX_BODY_BYTES, Entry, Journal
from mock_server.domain.operation import Operation
from mock_server.domain.sandbox.sandbox import Sandbox
from tests.mock_server.domain.checkpoints import TEMPLATE, saved
from tests.mock_server.domain.driven import ID
from tests.mock_server.domain.strategies import NOW_MS

Block = tuple[Header, ...]
MakeEntry = Callable[[int], Entry]

TOLERANCE = 0.2
SHARED = ((b"host", b"127.0.0.1:8080"), (b"authorization", b"Bearer sk-of-a-client"))


def new(text: str) -> bytes:
    return text.encode()


def block(number: int, count: int = 5, length: int = 12) -> Block:
    """Return headers that no other entry has, in objects that nothing else has."""
    return tuple((new(f"x-{each}-{number:06}"), new("v" * length)) for each in range(count))


def answer_headers(second: int) -> Block:
    """Return headers as responses have them: new ones for each second."""
    return (
        (b"date", new(f"Sat, 28 Nov 2026 20:{second // 60 % 60:02}:{second % 60:02} GMT")),
        (b"content-type", b"application/json"),
        (b"content-length", new(f"{second + 100}")),
    )


def entry(
    number: int,
    *,
    operation: Operation = Operation.STATUS,
    path: str = "/api/v1/statusTask/gpt-image-1",
    request: bytes = b"",
    answer: bytes | None = None,
    headers: Block = SHARED,
    answer_block: Block | None = None,
    **others: object,
) -> Entry:
    task_id = f"task_{number:032x}"
    return Entry(
        NOW_MS + 1000 * number,
        NOW_MS + 1000 * number + 1,
        operation,
        task_id,
        200,
        300 + number,
        request,
        new(f'{{"code":200,"data":"{number:0150}"}}') if answer is None else answer,
        "GET",
        path,
        new(f"taskId={task_id}"),
        headers,
        answer_headers(number) if answer_block is None else answer_block,
        300 + number,
        **others,  # type: ignore[arg-type]  # the last three members
    )


KINDS: dict[str, MakeEntry] = {
    "status requests, one a second": entry,
    "status requests of one second": lambda number: entry(number, answer_block=SHARED),
    "submits": lambda number: entry(
        number, operation=Operation.SUBMIT, request=new(f"{number:0200}"), headers=block(number)
    ),
    "long paths": lambda number: entry(number, path=f"/{number:060000}"),
    "paths with other characters": lambda number: entry(number, path=f"/\U0001f98a{number:05000}"),
    "many headers": lambda number: entry(number, headers=block(number, count=80)),
    "short headers": lambda number: entry(number, headers=block(number, count=80, length=4)),
    "long headers": lambda number: entry(number, headers=block(number, count=3, length=9000)),
    "callbacks": lambda number: entry(
        number,
        operation=Operation.CALLBACK,
        path=f"http://127.0.0.1:9000/hook/{number:010}",
        request=new(f"{number:0300}"),
        answer=b"",
        headers=(),
        answer_block=(),
        error=f"connection refused {number}",
    ),
    "faults": lambda number: entry(
        number,
        rule=f"rule-{number:08}",
        injected=(Injected(FaultKind.WIRE, f"close-{number:06}"),),
    ),
    "large bodies": lambda number: entry(
        number,
        request=new(f"{number:0{MAX_BODY_BYTES}}"),
        answer=new(f"{number:0{MAX_BODY_BYTES}}"),
    ),
}
COUNT = 200


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_weight_is_the_memory_that_entries_use(make: MakeEntry) -> None:
    gc.collect()  # Free tuples that Python would use again are not counted as new ones.
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        journal = Journal()
        for number in range(COUNT):
            journal.add(make(number))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert abs(journal.bytes / used - 1) < TOLERANCE


BLOCKS = [(), SHARED, block(1), block(2), block(3, count=40)]
steps = st.one_of(
    st.tuples(st.sampled_from(range(len(BLOCKS))), st.sampled_from(range(len(BLOCKS)))),
    st.integers(0, 9000),
)


@given(st.lists(steps, max_size=40))
def test_weight_depends_on_the_stored_entries_only(steps: list[tuple[int, int] | int]) -> None:
    journal = Journal()
    for number, step in enumerate(steps):
        if isinstance(step, int):
            journal.trim(step)
            assert journal.bytes <= step
            continue
        # The headers are equal to those of other entries, but other objects.
        headers, answer_block = ([(name, value) for name, value in BLOCKS[each]] for each in step)
        journal.add(entry(number, headers=(*headers,), answer_block=(*answer_block,)))

    again = Journal.of(
        [msgspec.msgpack.decode(msgspec.msgpack.encode(each), type=Entry) for each in journal],
        journal.dropped,
    )
    assert (again.bytes, again.last, again.dropped) == (
        journal.bytes,
        journal.last,
        journal.dropped,
    )
    assert len({id(each.headers) for each in journal}) == len({each.headers for each in journal})
    assert journal.bytes or not len(journal)


def test_weight_is_the_same_after_a_checkpoint_and_in_a_snapshot() -> None:
    sandbox = Sandbox(ID, TEMPLATE, is_broke=False, real_ms=NOW_MS)
    for number, make in enumerate([*KINDS.values()] * 2):
        sandbox.apply(RecordExchange(real_ms=NOW_MS + number, entry=make(number)))
    sandbox.apply(TrimJournal(real_ms=NOW_MS, max_bytes=sandbox.journal.bytes // 2))

    loaded = Sandbox.of_checkpoint(saved(sandbox), TEMPLATE)
    restored = Sandbox(ID, TEMPLATE, is_broke=False, real_ms=NOW_MS)
    snapshot = sandbox.apply(TakeSnapshot(real_ms=NOW_MS)).snapshot()
    restored.apply(Restore(real_ms=NOW_MS, snapshot=snapshot))

    assert 0 < sandbox.dropped_entries < 20
    for each in (loaded, restored):
        assert each.journal.bytes == sandbox.journal.bytes
        assert each.dropped_entries == sandbox.dropped_entries
