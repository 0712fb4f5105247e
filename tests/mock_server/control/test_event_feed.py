"""All streams of a sandbox share one feed, which encodes each event once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from mock_server.control.event_feed import EventFeed
from mock_server.control.event_stream import MAX_WAITING_BYTES, EventStream
from mock_server.domain.commands import RecordExchange
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.store import SandboxReader
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.redis.stores import TEMPLATE

ENTRY = Entry(
    at_ms=0, real_ms=0, operation=Operation.BALANCE, task_id="", status=200, duration_us=0,
    request=b"", answer=b"",
)  # fmt: skip


class Reader:
    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.is_ended = False

    def push(self, texts: Sequence[bytes]) -> None:
        self.texts += texts

    def end(self) -> None:
        self.is_ended = True


class Bench(NamedTuple):
    store: MemoryStore
    sandbox: SandboxReader
    feed: EventFeed
    encoded: list[bytes]
    ended: list[None]

    async def record(self, count: int) -> None:
        for _ in range(count):
            await self.store.execute(self.sandbox.id, RecordExchange(real_ms=0, entry=ENTRY))

    @property
    def is_followed(self) -> bool:
        return bool(self.store._followers)


def with_bench(test: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        store = MemoryStore(TEMPLATE)
        sandbox = await store.open("0" * 16, is_broke=False, real_ms=0)
        encoded: list[bytes] = []
        ended: list[None] = []

        def redact(shown: bytes) -> bytes:
            encoded.append(shown)
            return shown

        feed = EventFeed(
            store, sandbox, redact, real_ms=lambda: 0, when_unused=lambda: ended.append(None)
        )
        await test(Bench(store, sandbox, feed, encoded, ended))

    asyncio.run(run())


def test_event_is_encoded_once_for_all_readers() -> None:
    async def test(bench: Bench) -> None:
        readers = [Reader() for _ in range(100)]
        for reader in readers:
            bench.feed.join(reader, None)
        await bench.record(1)
        bench.feed.catch_up()

        [text] = readers[0].texts
        assert text.startswith(b"id: 1\nevent: request\n")
        assert all(reader.texts == [text] for reader in readers)
        assert len(bench.encoded) == 1

    with_bench(test)


def test_reader_gets_nothing_from_before_and_nothing_after_it_has_left() -> None:
    async def test(bench: Bench) -> None:
        first, second = Reader(), Reader()
        bench.feed.join(first, None)
        await bench.record(1)
        bench.feed.join(second, None)
        await bench.record(1)
        bench.feed.catch_up()
        bench.feed.leave(first)
        await bench.record(1)
        bench.feed.catch_up()

        assert [text[:5] for text in first.texts] == [b"id: 1", b"id: 2"]
        assert [text[:5] for text in second.texts] == [b"id: 2", b"id: 3"]

    with_bench(test)


def test_feed_follows_its_sandbox_while_it_has_readers() -> None:
    async def test(bench: Bench) -> None:
        readers = [Reader(), Reader()]
        for reader in readers:
            bench.feed.join(reader, None)
        assert bench.is_followed
        bench.feed.leave(readers[0])
        assert (bench.is_followed, bench.ended) == (True, [])
        bench.feed.leave(readers[1])
        bench.feed.leave(readers[1])
        assert (bench.is_followed, bench.ended) == (False, [None])

    with_bench(test)


def test_removal_of_the_sandbox_ends_all_readers_and_those_that_join_later() -> None:
    async def test(bench: Bench) -> None:
        readers = [Reader(), Reader(), Reader()]
        bench.feed.join(readers[0], None)
        bench.feed.join(readers[1], None)
        await bench.store.remove(bench.sandbox.id)
        bench.feed.join(readers[2], None)

        assert [reader.texts for reader in readers] == [[b"event: dropped\ndata: {}\n\n"]] * 3
        assert all(reader.is_ended for reader in readers)
        assert (bench.is_followed, bench.ended) == (False, [None])

    with_bench(test)


def test_events_of_a_new_sandbox_are_not_those_of_the_removed_one() -> None:
    async def test(bench: Bench) -> None:
        reader, later = Reader(), Reader()
        bench.feed.join(reader, None)
        await bench.store.remove(bench.sandbox.id)
        await bench.store.open(bench.sandbox.id, is_broke=False, real_ms=0)
        await bench.record(1)  # In the turn of the loop in which the old one was removed.
        bench.feed.join(later, None)

        assert [reader.is_ended, later.is_ended] == [True, True]
        assert [len(reader.texts), len(later.texts)] == [1, 1]
        assert (bench.is_followed, bench.ended) == (False, [None])

    with_bench(test)


def test_other_work_goes_on_while_many_events_are_encoded() -> None:
    async def test(bench: Bench) -> None:
        reader = Reader()
        bench.feed.join(reader, None)
        await bench.record(500)
        turns = 0
        while len(reader.texts) < 500:
            turns += 1
            await asyncio.sleep(0)

        assert turns >= 10

    with_bench(test)


def test_slow_stream_loses_old_events_before_they_use_much_memory() -> None:
    async def test(bench: Bench) -> None:
        stream = EventStream(bench.feed)
        events = stream.events()
        await anext(events)
        for number in range(20):
            stream.push([b"%d" % number * (MAX_WAITING_BYTES // 16)])
        text = await anext(events)
        await events.aclose()

        assert len(text) <= MAX_WAITING_BYTES + 100
        assert text.startswith(b": 12 older changes were lost\n\n")

    with_bench(test)


def test_waiting_events_are_sent_in_small_parts() -> None:
    """Before, a slow reader got 8 MiB at once, and each connection had its own copy."""

    async def test(bench: Bench) -> None:
        stream = EventStream(bench.feed)
        events = stream.events()
        await anext(events)
        stream.push([b"x" * 10_000] * 100)
        parts = [await anext(events) for _ in range(15)]
        await events.aclose()

        assert sum(map(len, parts)) == 1_000_000
        assert max(map(len, parts)) == 70_000

    with_bench(test)


def test_other_work_goes_on_while_many_readers_are_woken() -> None:
    async def test(bench: Bench) -> None:
        readers = [Reader() for _ in range(500)]
        for reader in readers:
            bench.feed.join(reader, None)
        await bench.record(1)
        woken = [0]
        while woken[-1] < 500:
            await asyncio.sleep(0)
            woken.append(sum(bool(reader.texts) for reader in readers))

        assert max(after - before for before, after in pairwise(woken)) == 10

    with_bench(test)


def test_events_during_a_round_of_readers_wait_and_are_pushed_together() -> None:
    async def test(bench: Bench) -> None:
        readers = [Reader() for _ in range(50)]
        for reader in readers:
            bench.feed.join(reader, None)
        await bench.record(1)
        await asyncio.sleep(0)
        assert (len(readers[0].texts), readers[-1].texts) == (1, [])
        await bench.record(2)
        bench.feed.leave(readers[-1])
        bench.feed.catch_up()

        assert [text[:5] for text in readers[0].texts] == [b"id: 1", b"id: 2", b"id: 3"]
        assert all(reader.texts == readers[0].texts for reader in readers[:-1])
        assert readers[-1].texts == []

    with_bench(test)
