"""The lifecycle reports to the ASGI server what succeeded and what failed."""

import asyncio

import pytest
from starlette.types import Message

from mock_server.lifecycle import Lifecycle


async def succeed() -> None: ...


async def fail() -> None:
    raise OSError("the disk is full")


async def sent_by(lifecycle: Lifecycle, sent: list[Message]) -> None:
    """Start the lifecycle and stop it at once, as an ASGI server does."""
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message)

    await lifecycle.run(receive, send)


def test_lifecycle_starts_and_stops_in_order() -> None:
    steps: list[str] = []

    async def start() -> None:
        steps.append(f"start, {lifecycle.not_ready}")

    async def stop() -> None:
        steps.append(f"stop, {lifecycle.not_ready}")

    def begin_stopping() -> None:
        steps.append("begin stopping")

    lifecycle = Lifecycle(start=start, begin_stopping=begin_stopping, stop=[stop])
    sent: list[Message] = []
    asyncio.run(sent_by(lifecycle, sent))

    assert [each["type"] for each in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert steps == [
        "start, the server is starting",
        "begin stopping",
        "stop, the server is stopping",
    ]


def test_every_step_of_the_stop_is_done_though_one_fails() -> None:
    steps: list[str] = []

    async def note() -> None:
        steps.append("stop")

    lifecycle = Lifecycle(start=succeed, begin_stopping=lambda: None, stop=[note, fail, note])
    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(sent_by(lifecycle, []))

    assert steps == ["stop", "stop"]


@pytest.mark.parametrize(
    ("start", "stop", "last"),
    [(fail, succeed, "lifespan.startup.failed"), (succeed, fail, "lifespan.shutdown.failed")],
    ids=["start", "stop"],
)
def test_lifecycle_reports_why_a_step_failed(start: object, stop: object, last: str) -> None:
    lifecycle = Lifecycle(start=start, begin_stopping=lambda: None, stop=[stop])  # type: ignore[arg-type,list-item]
    sent: list[Message] = []

    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(sent_by(lifecycle, sent))

    assert sent[-1]["type"] == last
    assert "OSError: the disk is full" in sent[-1]["message"]
