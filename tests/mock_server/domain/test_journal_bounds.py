"""The journal keeps the newest entries, within its bounds, and counts what it let go."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.journal import (
    MAX_BODY_BYTES,
    MAX_BYTES,
    MAX_ENTRIES,
    Entry,
    Journal,
)
from mock_server.domain.operation import Operation

BODIES = {size: bytes(size) for size in (0, 1, 40_000, MAX_BODY_BYTES)}

runs = st.lists(
    st.tuples(st.sampled_from(list(BODIES)), st.sampled_from(list(BODIES)), st.integers(1, 300)),
    max_size=6,
)


def entry(number: int, request: bytes = b"", answer: bytes = b"") -> Entry:
    return Entry(number, number, Operation.STATUS, "", 200, 0, request, answer)


def filled(entries: Iterable[Entry]) -> Journal:
    journal = Journal()
    for each in entries:
        journal.add(each)
    return journal


@given(runs)
def test_the_newest_entries_stay_within_the_bytes(runs: list[tuple[int, int, int]]) -> None:
    bodies = [sizes for *sizes, times in runs for _ in range(times)]
    journal = filled(
        entry(number, BODIES[request], BODIES[answer])
        for number, (request, answer) in enumerate(bodies)
    )
    kept = list(journal)

    assert [each.at_ms for each in kept] == list(range(len(bodies) - len(kept), len(bodies)))
    assert len(journal) == len(kept) == len(bodies) - journal.dropped
    assert sum(len(each.request) + len(each.answer) for each in kept) <= journal.bytes <= MAX_BYTES
    assert journal.bytes == filled(kept).bytes


@given(runs)
def test_no_more_is_let_go_than_must_be(runs: list[tuple[int, int, int]]) -> None:
    bodies = [sizes for *sizes, times in runs for _ in range(times)]
    journal = filled(entry(0, BODIES[request], BODIES[answer]) for request, answer in bodies)

    if journal.dropped:
        assert journal.bytes + 2 * MAX_BODY_BYTES + 1000 > MAX_BYTES


def test_there_are_never_more_entries_than_allowed() -> None:
    journal = filled(entry(number) for number in range(MAX_ENTRIES + 5))

    assert (len(journal), journal.dropped) == (MAX_ENTRIES, 5)
    assert [next(iter(journal)).at_ms, max(each.at_ms for each in journal)] == [5, MAX_ENTRIES + 4]
