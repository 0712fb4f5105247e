"""Long answers of the control plane are encoded in pieces, and other requests are served."""

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import cast

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.control.long_list import encoded, long_list
from mock_server.control.resources.callbacks import CallbacksResource
from mock_server.domain.commands import RecordExchange
from mock_server.domain.deliveries import Delivery
from mock_server.domain.journal import MAX_ENTRIES
from mock_server.domain.store import SandboxReader
from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.control.turns import Turns
from tests.mock_server.e2e.api import SUBMIT

KEY = "sk-key-of-long-lists"
MEMBERS_PER_TURN = 120  # Six pieces, with the clock of `Turns`.


class Answer(msgspec.Struct):
    first: list[str]
    between: str
    second: list[int]
    inner: "Answer | None" = None


def redacted(shown: bytes) -> bytes:
    return shown.replace(b"secret", b"[redacted]")


def answer(first: Iterable[str], second: Iterable[int], inner: Answer | None = None) -> Answer:
    return Answer(long_list(first), "a secret", long_list(second), inner)


@given(st.lists(st.sampled_from(["a", "a secret", '"', "é"]), max_size=50), st.integers(0, 50))
def test_answer_with_long_lists_is_encoded_as_one_with_lists(first: list[str], length: int) -> None:
    second = range(length)
    plain = Answer(first, "a secret", [*second], Answer(first, "a secret", []))

    shown = asyncio.run(encoded(answer(first, second, answer(first, ())), redacted))

    assert shown == redacted(msgspec.json.encode(plain))


def test_long_answer_is_in_memory_only_once() -> None:
    """Joining its pieces at the end would block the event loop for milliseconds."""

    async def run() -> None:
        members = ("a" * 1_000 for _ in range(5_000))
        tracemalloc.start()
        try:
            shown = await encoded(answer(members, ()), bytes)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak_bytes < 1.5 * len(shown)

    asyncio.run(run())


def test_answer_of_another_type_is_an_error() -> None:
    with pytest.raises(TypeError, match="object cannot be encoded"):
        asyncio.run(encoded({"member": object()}, bytes))


def test_other_work_goes_on_while_a_long_list_is_encoded() -> None:
    async def run() -> None:
        turns = Turns()
        turn_of = [turns.count]

        def members() -> Iterator[int]:
            for number in range(10_000):
                turn_of.append(turns.count)
                yield number

        await turns.during(encoded(answer((), members()), bytes))

        assert max(Counter(turn_of).values()) <= MEMBERS_PER_TURN

    asyncio.run(run())


def with_full_journal(test: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Test a server with a sandbox whose journal has as many entries as it can have."""

    async def run() -> None:
        app = MockServer(Settings(clock="manual", seed=5))
        app.control.plane()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Bearer {KEY}"},
        ) as http:
            submitted = await http.post(SUBMIT, json={"input": {"prompt": f"draw {KEY}"}})
            submitted.raise_for_status()
            [sandbox] = await app._store.sandboxes()
            [(_, entry)] = sandbox.entries()
            record = RecordExchange(real_ms=app._responder.now_ms(), entry=entry)
            for _ in range(MAX_ENTRIES):
                await app._store.execute(sandbox.id, record)
            await test(http)

    asyncio.run(run())


@pytest.mark.parametrize("path", ["journal?limit=10000", "journal?format=har", "sandbox/snapshot"])
def test_full_journal_is_exported_in_pieces(path: str) -> None:
    async def test(http: httpx.AsyncClient) -> None:
        turns = Turns()

        answer = await turns.during(http.get(f"/_mock/{path}", timeout=None))

        assert answer.is_success
        assert KEY not in answer.text
        assert turns.count >= MAX_ENTRIES / MEMBERS_PER_TURN

    with_full_journal(test)


class ManyDeliveries:
    """The deliveries of a sandbox with very many tasks."""

    def deliveries(self) -> Sequence[Delivery]:
        one = Delivery(task_id="a" * 40, ordinal=1, url=f"http://127.0.0.1/{KEY}")
        return [one] * 20_000


def test_list_of_many_callbacks_is_encoded_in_pieces() -> None:
    async def run() -> None:
        turns = Turns()
        listed = await CallbacksResource().show(cast("SandboxReader", ManyDeliveries()))

        shown = await turns.during(encoded(listed, redacted))

        assert bytes(shown).count(b'"task_id"') == 20_000
        assert turns.count >= 20_000 / MEMBERS_PER_TURN

    asyncio.run(run())
