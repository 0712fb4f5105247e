"""A wait for entries of the journal examines each of them once, and counts those that are kept."""

import sys
from collections.abc import Sequence
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from mock_server.control.resources.journal import EntriesMatch, JournalWait
from mock_server.domain.events import Change, Recorded
from mock_server.domain.journal import MAX_ENTRIES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.store import SandboxReader

Numbered = tuple[int, Entry]

MATCHING, OTHER = (
    Entry(
        at_ms=0, real_ms=0, operation=operation, task_id="", status=200, duration_us=0,
        request=b"", answer=b"",
    )
    for operation in (Operation.BALANCE, Operation.SUBMIT)
)  # fmt: skip


class FakeJournal:
    """The journal of a sandbox, which counts how many entries are read from it."""

    def __init__(self) -> None:
        self.kept: list[Numbered] = []
        self.last = 0
        self.read = 0

    @property
    def dropped_entries(self) -> int:
        return self.last - len(self.kept)

    def entries(self, since: int = 0) -> Sequence[Numbered]:
        found = [each for each in self.kept if each[0] > since]
        self.read += len(found)
        return found

    def record(self, entry: Entry) -> Recorded:
        self.last += 1
        self.kept.append((self.last, entry))
        return Recorded(self.last, entry)


@given(
    st.integers(1, 4),
    st.integers(0, 3),
    st.lists(
        st.sampled_from(["match", "other", "match of another process", "drop", "look", "reset"])
    ),
)
def test_wait_counts_the_matching_entries_that_the_journal_has(
    count: int, since: int, steps: list[str]
) -> None:
    journal = FakeJournal()
    sandbox = cast("SandboxReader", journal)
    condition = EntriesMatch(JournalWait(operation=Operation.BALANCE, count=count, since=since))
    recorded = 0
    for step in steps:
        is_about = True
        if step == "drop":
            del journal.kept[:1]
        elif step == "reset":
            journal.kept, journal.last = [], 0
            condition.is_about(Change.DROPPED)
        elif step != "look":
            recorded += 1
            notice = journal.record(OTHER if step == "other" else MATCHING)
            if step != "match of another process":  # Its event arrives late or never.
                is_about = condition.is_about(notice)
        matches = sum(number > since and entry is MATCHING for number, entry in journal.kept)
        assert is_about or matches < count
        if step == "look":
            assert condition.look(sandbox) == (min(matches, count), matches >= count)

    assert journal.read <= recorded


def test_wait_for_more_entries_than_a_journal_can_have_stays_small() -> None:
    """Before, it kept the number of each matching entry, without a limit."""
    condition = EntriesMatch(JournalWait(count=10**9))
    for number in range(1, 2 * MAX_ENTRIES):
        condition.is_about(Recorded(number, MATCHING))

    assert len(condition._matches) == MAX_ENTRIES
    assert sys.getsizeof(condition._matches) < 10 * MAX_ENTRIES
