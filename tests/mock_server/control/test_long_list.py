"""Long answers of the control plane are encoded in pieces, and other requests are served."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
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
from tests.mock_server.e2e.api import SUBMIT

KEY = "sk-key-of-long-lists"
LONGEST_STALL_S = 0.1  # In CPU time, so that a busy machine does not matter.


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
def test_answer_with_long_lists_is_encoded_as_one_with_lists(first: list[str], count: int) -> None:
    second = range(count)
    plain = Answer(first, "a secret", [*second], Answer(first, "a secret", []))

    shown = asyncio.run(encoded(answer(first, second, answer(first, ())), redacted))

    assert shown == redacted(msgspec.json.encode(plain))


def test_answer_of_another_type_is_an_error() -> None:
    with pytest.raises(TypeError, match="object cannot be encoded"):
        asyncio.run(encoded({"member": object()}, bytes))


def test_other_work_goes_on_while_a_long_list_is_encoded() -> None:
    async def run() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await encoded(answer((), range(1_000_000)), bytes)
        counting.cancel()
        return turns

    assert asyncio.run(run()) > 5


async def longest_stall_s(act: Awaitable[object]) -> float:
    """Return the longest time between two turns of the event loop during a call."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        before_s = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now_s = time.thread_time()
            longest_s, before_s = max(longest_s, now_s - before_s), now_s

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await act
    await asyncio.sleep(0)
    watching.cancel()
    return longest_s


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


@pytest.mark.parametrize(
    "path", ["journal?limit=10000", "journal?format=har", "sandbox/snapshot", "journal?limit=1"]
)
def test_export_of_a_full_journal_delays_other_requests_by_little(path: str) -> None:
    async def test(http: httpx.AsyncClient) -> None:
        answers: list[httpx.Response] = []

        async def export() -> None:
            answers.append(await http.get(f"/_mock/{path}", timeout=None))

        stall_s = await longest_stall_s(export())

        assert answers[0].is_success
        assert KEY not in answers[0].text
        assert stall_s < LONGEST_STALL_S

    with_full_journal(test)


class ManyDeliveries:
    """The deliveries of a sandbox with very many tasks."""

    def deliveries(self) -> Sequence[Delivery]:
        one = Delivery(task_id="a" * 40, ordinal=1, url=f"http://127.0.0.1/{KEY}")
        return [one] * 200_000


def test_list_of_many_callbacks_delays_other_requests_by_little() -> None:
    async def run() -> None:
        sandbox = cast("SandboxReader", ManyDeliveries())
        shown: list[bytes] = []

        async def export() -> None:
            shown.append(await encoded(await CallbacksResource().show(sandbox), redacted))

        stall_s = await longest_stall_s(export())

        assert shown[0].count(b'"task_id"') == 200_000
        assert stall_s < LONGEST_STALL_S

    asyncio.run(run())
