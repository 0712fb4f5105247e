"""Where requests begin and end: pipelining, bodies, the end of a connection."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.twins import PROMPT, Conversation
from tests.mock_server.e2e.api import BALANCE, SUBMIT

CASES = Cases()
_NONSENSE = b"NONSENSE\r\n\r\n"
_LONG = b'{"input":{"prompt":"a fox"},"more":"%b"}'


def _chunked(t: Conversation, *chunks: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """Return a submit with a chunked body."""
    head = t.request(
        f"POST {SUBMIT} HTTP/1.1",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        *headers,
    )
    return head + b"".join(chunks)


def _chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


@CASES.case(404, 200, 200, direct=3)
def requests_one_after_the_other(t: Conversation) -> None:
    for request in (t.status(), t.submit(), t.balance()):
        t.send(request)
        t.settle()


@CASES.case(200, 200, 404, 200, direct=4)
def requests_in_one_segment(t: Conversation) -> None:
    t.send(t.submit() + t.balance() + t.status() + t.submit())


@CASES.case(*[200, 200, 404, 405, 400, 200, 401, 200, 200, 404] * 100, direct=range(3, 700))
def a_thousand_pipelined_requests(t: Conversation) -> None:
    task_id = t.new_task()
    odd = t.submit().replace(b"POST ", b"PUT ")
    ten = [
        t.submit(),
        t.status(task_id),
        t.status(),
        odd,
        t.submit(body=b"{}"),
        t.balance("Connection: Keep-Alive"),
        t.balance().replace(b"Bearer ", b"Bearer sk-invalid-"),
        t.status(task_id.replace("_", "%5F").replace("-", "%2D")),
        t.submit("Expect: nothing"),
        t.status().replace(b"gpt-image-1?", b"gpt-image-9?"),
    ]
    t.send(b"".join(ten) * 100)


@CASES.case(*[200] * 1_000, direct=range(100, 1_001))
def a_thousand_usual_requests(t: Conversation) -> None:
    task_id = t.new_task()
    t.send((t.submit() + t.status(task_id)) * 500)


@CASES.case(200, 405, 200, 200, direct=2)
def an_odd_request_between_usual_ones(t: Conversation) -> None:
    t.send(t.submit() + t.request("DELETE /api/v1/apikeys/current-balance HTTP/1.1") + t.submit())
    t.settle()
    t.send(t.balance())


@CASES.case(404, 200, 200, direct=2, closes=True)
def connection_close(t: Conversation) -> None:
    t.send(t.status(), t.submit(), t.balance("Connection: close"))


@CASES.case(200, direct=0, closes=True)
def requests_after_connection_close(t: Conversation) -> None:
    t.send(t.submit("Connection: close") + t.submit() + t.balance())


@CASES.case(200, 200, direct=2)
def connection_keep_alive(t: Conversation) -> None:
    t.send(t.submit("Connection: keep-alive"), t.balance("connection: Keep-Alive"))


@CASES.case(200, direct=0, closes=True)
def connection_keep_alive_and_close(t: Conversation) -> None:
    t.send(t.submit("Connection: keep-alive, Close") + t.balance())


@CASES.case(200, 200, direct=2)
def connection_with_another_option(t: Conversation) -> None:
    t.send(t.submit("Connection: TE", "TE: trailers") + t.balance("Connection: keep-alive, foo"))


@CASES.case(404, direct=0, closes=True)
def http_1_0(t: Conversation) -> None:
    t.send(t.status().replace(b"HTTP/1.1", b"HTTP/1.0") + t.submit())


@CASES.case(200, direct=0, closes=True)
def http_1_0_with_keep_alive(t: Conversation) -> None:
    t.send(t.submit("Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0") + t.submit())


@CASES.case(200, direct=0, closes=True)
def http_1_0_without_headers(t: Conversation) -> None:
    t.new_task()
    lines = (f"GET {BALANCE} HTTP/1.0", f"Authorization: Bearer {t.key}", "", "")
    t.send("\r\n".join(lines).encode())


@CASES.case(100, 200, 200, direct=1)
def expect_100_continue(t: Conversation) -> None:
    request = t.submit("Expect: 100-continue")
    t.send(request.removesuffix(PROMPT))
    t.settle()
    t.send(PROMPT)
    t.settle()
    t.send(t.balance())


@CASES.case(200, 100, 200, 200, direct=1)
def expect_100_continue_with_its_body(t: Conversation) -> None:
    t.send(t.balance() + t.submit("Expect: 100-continue") + t.balance())


@CASES.case(200, 200, direct=0)
def expect_of_another_kind(t: Conversation) -> None:
    t.send(t.submit("Expect: a miracle") + t.balance("Expect: 100-continue"))


@CASES.case(413, direct=0)
def expect_100_continue_for_a_body_that_is_too_large(t: Conversation) -> None:
    t.send(
        t.submit("Expect: 100-continue")
        .replace(b"Length: %d" % len(PROMPT), b"Length: 99999999")
        .removesuffix(PROMPT)
    )


@CASES.case(200, 200, direct=0)
def chunked_body(t: Conversation) -> None:
    t.send(_chunked(t, _chunk(PROMPT[:5]), _chunk(PROMPT[5:]), b"0\r\n\r\n") + t.balance())


@CASES.case(200, 200, direct=0)
def chunked_body_with_extensions_and_trailers(t: Conversation) -> None:
    extended = _chunked(t, _chunk(PROMPT, b";a=b;c"), b"0;last\r\n\r\n")
    t.send(
        extended + _chunked(t, _chunk(PROMPT), b"0\r\nX-Trailer: yes\r\nAuthorization: no\r\n\r\n")
    )


@CASES.case(400, 200, direct=0)
def chunked_body_without_content(t: Conversation) -> None:
    t.send(_chunked(t, b"0\r\n\r\n") + t.balance())


@CASES.case(200, 400, direct=1, closes=True)
def chunked_body_with_a_broken_chunk(t: Conversation) -> None:
    t.send(t.balance() + _chunked(t, _chunk(PROMPT[:5]), b"zz\r\n") + t.balance())


@CASES.case(400, direct=0, closes=True)
def get_with_a_broken_chunked_body(t: Conversation) -> None:
    t.send(t.balance("Transfer-Encoding: chunked") + t.balance())


@CASES.case(200, 200, 400, direct=2, closes=True)
def get_with_a_broken_chunked_body_after_usual_requests(t: Conversation) -> None:
    t.send(t.submit() + t.balance() + t.balance("Transfer-Encoding: chunked") + t.balance())


@CASES.case(200, direct=1)
def get_without_its_body(t: Conversation) -> None:
    t.send(t.submit() + t.balance("Content-Length: 3") + b"ab")
    t.settle()
    t.half_close()


@CASES.case(200, 405, 200, direct=1)
def long_bodies_of_requests_that_have_none(t: Conversation) -> None:
    long = "Content-Length: 100000"
    t.send(t.submit(), t.balance(long).replace(b"GET", b"PUT") + b"x" * 50_000)
    t.settle()
    t.send(b"x" * 50_000, t.balance(long) + b"x" * 100_000)


@CASES.case(400, direct=0, closes=True)
def chunked_body_with_a_content_length(t: Conversation) -> None:
    t.send(_chunked(t, _chunk(PROMPT), b"0\r\n\r\n", headers=("Content-Length: 3",)) + t.balance())


@CASES.case(400, direct=0, closes=True)
def transfer_encoding_of_another_kind(t: Conversation) -> None:
    t.send(t.request(f"POST {SUBMIT} HTTP/1.1", "Transfer-Encoding: gzip") + t.balance())


@CASES.case(200, 200, direct=0)
def get_with_a_chunked_body(t: Conversation) -> None:
    t.send(t.balance("Transfer-Encoding: chunked") + _chunk(b"abc") + b"0\r\n\r\n" + t.balance())


@CASES.case(200, 200, 404, direct=2)
def half_closed_after_usual_requests(t: Conversation) -> None:
    t.send(t.submit() + t.balance("Accept-Encoding: gzip") + t.status("x", "Content-Length: 0"))
    t.half_close()


@CASES.case(*[200] * 900, direct=range(100, 901))
def half_closed_after_many_requests(t: Conversation) -> None:
    t.send((t.submit() + t.balance() + t.balance()) * 300)
    t.half_close()


@CASES.case(200, 405, 200, direct=1)
def half_closed_after_an_odd_request(t: Conversation) -> None:
    t.send(t.submit() + t.submit().replace(b"POST", b"PUT") + t.balance())
    t.half_close()


@CASES.case(200, direct=1)
def half_closed_within_a_body(t: Conversation) -> None:
    t.send(t.submit() + t.submit()[:-3])
    t.half_close()


@CASES.case(200, direct=1)
def half_closed_within_a_head(t: Conversation) -> None:
    t.send(t.submit() + t.submit()[:50])
    t.half_close()


@CASES.case(direct=0)
def half_closed_without_a_request(t: Conversation) -> None:
    t.half_close()


@CASES.case(200, 400, direct=1, closes=True)
def a_broken_request_after_a_good_one(t: Conversation) -> None:
    t.send(t.submit() + _NONSENSE)


@CASES.case(200, 200, 405, 200, 400, direct=2, closes=True)
def a_broken_request_after_good_and_odd_ones(t: Conversation) -> None:
    t.send(t.submit() + t.balance() + t.submit().replace(b"POST", b"PUT") + t.balance() + _NONSENSE)


@CASES.case(400, direct=0, closes=True)
def good_requests_after_a_broken_one(t: Conversation) -> None:
    t.send(_NONSENSE + t.submit() + t.balance())


@CASES.case(200, 400, direct=1, closes=True)
def a_broken_request_in_a_segment_of_its_own(t: Conversation) -> None:
    t.send(t.submit(), _NONSENSE)


@CASES.case(200, 400, direct=1, closes=True)
def a_body_that_is_longer_than_it_says(t: Conversation) -> None:
    t.send(t.submit() + b"}}}\r\n\r\n" + t.balance())


@CASES.case(200, 200, direct=0)
def blank_lines_before_requests(t: Conversation) -> None:
    t.send(b"\r\n" + t.submit() + b"\r\n\r\n" + t.balance())


@CASES.case(200, 200, 200, direct=1)
def blank_lines_between_segments(t: Conversation) -> None:
    t.send(t.submit() + b"\r\n", t.submit() + b"\r", b"\n\r\n" + t.balance())


@CASES.case(200, 404, 200, 404, direct=0)
def content_length_of_a_get(t: Conversation) -> None:
    t.send(t.balance("Content-Length: 0") + t.status("x", "Content-Length: 3") + b"abc")
    t.settle()
    t.send(t.balance("Content-Length: 3"), b"ab", b"c" + t.status("x", "Content-Length: 00"))


@CASES.case(404, 400, direct=0, closes=True)
def content_length_of_a_get_that_lies(t: Conversation) -> None:
    t.send(t.status("x", "Content-Length: 1") + b"GET")
    t.settle()
    t.send(t.balance())


@CASES.case(400, direct=0, closes=True)
def content_length_repeated(t: Conversation) -> None:
    t.send(t.submit(f"Content-Length: {len(PROMPT)}"))


@CASES.case(400, direct=0, closes=True)
def content_length_repeated_with_another(t: Conversation) -> None:
    t.send(t.submit("Content-Length: 3"))


@CASES.case(400, direct=0, closes=True)
def content_length_as_a_list(t: Conversation) -> None:
    t.send(_with_length(t, f"{len(PROMPT)}, {len(PROMPT)}"))


@CASES.case(400, direct=0, closes=True)
def content_length_with_a_plus(t: Conversation) -> None:
    t.send(_with_length(t, f"+{len(PROMPT)}"))


@CASES.case(400, direct=0, closes=True)
def content_length_below_zero(t: Conversation) -> None:
    t.send(_with_length(t, f"-{len(PROMPT)}"))


@CASES.case(400, direct=0, closes=True)
def content_length_with_an_underscore(t: Conversation) -> None:
    t.send(_with_length(t, "2_8"))


@CASES.case(400, direct=0, closes=True)
def content_length_in_other_digits(t: Conversation) -> None:
    t.send(_with_length(t, "²8"))


@CASES.case(400, direct=0, closes=True)
def content_length_with_a_space_inside(t: Conversation) -> None:
    t.send(_with_length(t, "2 8"))


@CASES.case(400, direct=0, closes=True)
def content_length_without_a_value(t: Conversation) -> None:
    t.send(_with_length(t, ""))


@CASES.case(400, direct=0, closes=True)
def content_length_beyond_64_bits(t: Conversation) -> None:
    t.send(_with_length(t, "9" * 30))


@CASES.case(413, direct=0)
def content_length_within_64_bits(t: Conversation) -> None:
    t.send(_with_length(t, "9" * 18))


@CASES.case(200, 200, direct=2)
def content_length_with_spaces_around(t: Conversation) -> None:
    t.send(_with_length(t, f"  {len(PROMPT)}\t ") + t.balance())


@CASES.case(200, 200, direct=2)
def content_length_with_zeros_before(t: Conversation) -> None:
    t.send(_with_length(t, f"000{len(PROMPT)}") + t.balance())


@CASES.case(400, 400, direct=2)
def post_without_a_body(t: Conversation) -> None:
    t.send(_with_length(t, "0", b""))
    t.send(t.request(f"POST {SUBMIT} HTTP/1.1", "Content-Type: application/json"))


@CASES.case(413, 200, direct=0)
def body_that_is_too_large(t: Conversation) -> None:
    t.send(t.submit(body=_LONG % (b"x" * 20_000_000)) + t.balance())


@CASES.case(200, 200, direct=1)
def body_of_many_segments(t: Conversation) -> None:
    t.send(t.submit(body=_LONG % (b"x" * 1_000_000)))
    t.settle()
    t.send(t.balance())


@CASES.case(400, direct=0, closes=True)
def head_that_is_too_large(t: Conversation) -> None:
    t.send(*_in_two(t.submit("X-Long: " + "x" * 70_000)))


@CASES.case(200, 400, direct=1, closes=True)
def head_that_is_too_large_after_a_usual_request(t: Conversation) -> None:
    t.send(*_in_two(t.submit() + t.submit("X-Long: " + "x" * 70_000) + t.submit()))


@CASES.case(400, direct=0, closes=True)
def head_that_never_ends(t: Conversation) -> None:
    t.send(t.balance()[:-2])
    t.send(*[b"X-More: %d\r\n" % at * 1_000 for at in range(10)])


def _in_two(request: bytes) -> tuple[bytes, bytes]:
    """Return two segments, each short enough to arrive as a whole."""
    return request[:60_000], request[60_000:]


def _edge(t: Conversation, head_bytes: int) -> bytes:
    """Return a request whose head has this length."""
    return t.balance("X-Long: " + "x" * (head_bytes - len(t.balance("X-Long: "))))


@CASES.case(200, direct=range(2))
def head_of_the_longest_allowed_length(t: Conversation) -> None:
    t.send(_edge(t, 64 * 1024))


@CASES.case(400, direct=0, closes=True)
def head_that_is_one_byte_too_long(t: Conversation) -> None:
    t.send(*_in_two(_edge(t, 64 * 1024 + 1)))


@CASES.case(200, 200, direct=0)
def upgrades(t: Conversation) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    t.send(t.submit(*offer) + t.balance("Connection: upgrade", "Upgrade: websocket"))


@CASES.case(200, 200, 200, direct=0)
def upgrade_without_connection(t: Conversation) -> None:
    t.send(t.submit("Upgrade: h2c") + t.balance("Connection: upgrade") + t.balance("upgrade:"))


def _with_length(t: Conversation, length: str, body: bytes = PROMPT) -> bytes:
    usual = b"Content-Length: %d" % len(body)
    changed = b"Content-Length: " + length.encode("latin-1")
    return t.submit(body=body).replace(usual, changed)
