"""Valid requests get the same answers in any packets, also if garbage follows them."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mock_server.both_ways.conversation import PROMPT
from tests.mock_server.both_ways.server import StillClock
from tests.mock_server.both_ways.stepped import HEAD, KINDS, WAYS, connected, settled, statuses
from tests.mock_server.e2e.api import STATUS, SUBMIT
from tests.properties import examples

_MANY_TURNS = 100_000  # Of the event loop.
JSON = f"{HEAD}Content-Type: application/json\r\n"
SUBMITTED = f"POST {SUBMIT} HTTP/1.1\r\n{JSON}Content-Length: {len(PROMPT)}\r\n".encode()
CHUNKED = f"POST {SUBMIT} HTTP/1.1\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode()
REQUESTS = [
    *(request for _, request in KINDS),
    SUBMITTED + b"\r\n" + PROMPT,
    SUBMITTED + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" + PROMPT,
    b"\r\n" + SUBMITTED + b"\r\n" + PROMPT,
    CHUNKED + b"5;a=b\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (PROMPT[:5], len(PROMPT) - 5, PROMPT[5:]),
    CHUNKED + b"0\r\nX: 1\r\nAuthorization: Bearer x\r\n\r\n",
    f"GET /_mock/clock HTTP/1.1\r\n{HEAD}\r\n".encode(),
    f"GET {STATUS}?taskId=%78 HTTP/1.1\r\n{HEAD}Content-Length: 3\r\n\r\nabc".encode(),
    f"OPTIONS {STATUS} HTTP/1.1\r\n{HEAD}Origin: http://page.test\r\n\r\n".encode(),
    f"GET / HTTP/1.1\r\n{HEAD}Host: other\r\n\r\n".encode(),
]
GARBAGE = [
    b"", b"\0", b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nX", b"\x16\x03\x01", b"\xff" * 100_000,
    b"GET /" + b"x" * 20_000, CHUNKED + b"5\r\nab", CHUNKED + b"zz\r\n", SUBMITTED + b"\r\n{",
    CHUNKED + b"0\r\n" + b"A: 1\r\n" * 2_000, SUBMITTED + b"X" * 70_000, b"\r\n" * 40_000,
    CHUNKED + b"1;" + b"x" * 9_000, SUBMITTED + b"X: 1\r\n" * 2_000, b"GET / HTTP/9.9\r\n\r\n",
]  # fmt: skip


@st.composite
def packets(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut data at any places, also within the ends of lines."""
    ends = [at for at in range(1, len(data)) if data[at - 1 : at + 1] == b"\r\n"][:200]
    place = st.integers(0, len(data))
    if ends:
        place |= st.builds(int.__add__, st.sampled_from(ends), st.integers(-1, 2))
    cuts = draw(st.lists(place, max_size=8))
    places = pairwise([0, *sorted(cuts), len(data)])
    return [data[start:end] for start, end in places if start < end]  # No packet is empty.


async def received(way: str, parts: Sequence[bytes], *, waits: bool, ends: bool = False) -> bytes:
    """Return what a new server sends to a client that sends these parts."""
    async with connected(WAYS[way], clock=StillClock(), seed=7) as (protocol, client, _):
        for part in parts:
            for _ in range(_MANY_TURNS):
                if client.reads or client.is_ended:
                    break
                await asyncio.sleep(0)
            else:
                pytest.fail("the server does not go on reading")
            protocol.data_received(part)
            if waits:
                await settled(client)
        if ends:
            protocol.eof_received()
        await settled(client)
        return client.read()


requests = st.lists(st.sampled_from(REQUESTS), max_size=6)


@pytest.mark.parametrize("way", WAYS)
@examples(60)
@given(sent=requests, garbage=st.sampled_from(GARBAGE), ends=st.booleans(), data=st.data())
def test_packets_and_garbage_change_no_answer(
    way: str,
    sent: list[bytes],
    garbage: bytes,
    ends: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    expected = asyncio.run(received("ordinary", sent, waits=True))
    parts = data.draw(packets(b"".join(sent) + garbage))

    got = asyncio.run(received(way, parts, waits=False, ends=ends))

    assert got[: len(expected)] == expected
    rejection = statuses(got[len(expected) :])
    assert rejection in ([], [400], [414], [431])
