"""Pieces of a connection's data: none holds parts of two requests, however the data is split."""

import re
from itertools import pairwise

import httptools
from hypothesis import given
from hypothesis import strategies as st

from mock_server.http_framing import RequestFraming
from tests.properties import examples

BODIES = st.binary(max_size=40) | st.sampled_from(
    [b"\r\n\r\n", b"{}\r\n\r\nGET / HTTP/1.1\r\n\r\n"]
)


class Server:
    """Parses pieces as the server does, and notes the requests of each."""

    def __init__(self) -> None:
        self.framing = RequestFraming()
        self.headers: list[tuple[bytes, bytes]] = []
        self.bodies: list[bytes] = []
        self.heads_bytes: list[int] = []
        self.events: list[str] = []
        self.parser = httptools.HttpRequestParser(self)

    def receive(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            self.events.clear()
            end = self.framing.end_of_piece(data, start)
            self.parser.feed_data(data[start:end])
            assert self.events in ([], ["begin"], ["end"], ["begin", "end"])
            start = end

    def on_message_begin(self) -> None:
        self.events.append("begin")
        self.headers = []
        self.bodies.append(b"")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.heads_bytes.append(self.framing.head_bytes)
        self.framing.begin_body(self.headers)

    def on_body(self, data: bytes) -> None:
        self.bodies[-1] += data

    def on_message_complete(self) -> None:
        self.events.append("end")
        self.framing.begin_head()


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, int, bytes]:
    """Generate a request, the length of its head, and its body."""
    body = draw(BODIES)
    framing, sent = b"", b""
    match draw(st.sampled_from(["none", "length", "chunked"])):
        case "none":
            body = b""
        case "length":
            framing, sent = b"Content-Length: %d\r\n" % len(body), body
        case "chunked":
            framing, sent = b"Transfer-Encoding: chunked\r\n", _chunked(draw, body)
    head = draw(st.sampled_from([b"", b"\r\n"])) + b"POST / HTTP/1.1\r\n" + framing + b"\r\n"
    return head + sent, len(head), body


def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    cut = draw(st.integers(0, len(body)))
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part
    )
    return chunks + draw(st.sampled_from([b"0\r\n\r\n", b"0;a=b\r\n\r\n", b"0\r\nX: y\r\n\r\n"]))


@examples(400)
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_no_piece_holds_parts_of_two_requests(
    sent: list[tuple[bytes, int, bytes]], data: st.DataObject
) -> None:
    whole = b"".join(request for request, _, _ in sent)
    ends = [match.end() for match in re.finditer(b"\r\n\r\n", whole)]
    inside_ends = st.builds(int.__sub__, st.sampled_from(ends), st.integers(1, 4))
    cuts = data.draw(st.lists(inside_ends | st.integers(0, len(whole)), max_size=6))
    server = Server()

    for start, end in pairwise([0, *sorted(cuts), len(whole)]):
        server.receive(whole[start:end])

    assert server.bodies == [body for _, _, body in sent]
    assert server.heads_bytes == [head_bytes for _, head_bytes, _ in sent]
