"""How long bodies and heads are, and what they say about it."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import PROMPT, Conversation
from tests.mock_server.e2e.api import SUBMIT

CASES = Cases()
_LONG = b'{"input":{"prompt":"a fox"},"more":"%b"}'


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


@CASES.case(200, 200, direct=1)
def content_length_with_a_space_at_the_end(t: Conversation) -> None:
    for request in (_with_length(t, f"{len(PROMPT)} "), t.balance("Content-Length: 0 ")):
        t.send(request)
        t.settle()


@CASES.case(200, 200, 200, direct=2)
def content_length_with_thousands_of_zeros(t: Conversation) -> None:
    zeros = "0" * 5_000
    for request in (_with_length(t, f"{zeros}{len(PROMPT)}"), t.balance(f"X-Length: {zeros}")):
        t.send(request)
        t.settle()
    t.send(t.balance(f"Content-Length: {zeros}"))


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


@CASES.case(413, 200, direct=0)
def body_that_is_too_large(t: Conversation) -> None:
    t.send(t.submit(body=_LONG % (b"x" * 20_000_000)) + t.balance())


@CASES.case(200, 200, direct=1)
def body_of_many_segments(t: Conversation) -> None:
    t.send(t.submit(body=_LONG % (b"x" * 1_000_000)))
    t.settle()
    t.send(t.balance())


@CASES.case(431, direct=0, closes=True)
def head_that_is_too_large(t: Conversation) -> None:
    t.send(*_in_two(t.submit("X-Long: " + "x" * 70_000)))


@CASES.case(200, 431, direct=1, closes=True)
def head_that_is_too_large_after_a_usual_request(t: Conversation) -> None:
    t.send(*_in_two(t.submit() + t.submit("X-Long: " + "x" * 70_000) + t.submit()))


@CASES.case(431, direct=0, closes=True)
def head_that_never_ends(t: Conversation) -> None:
    t.send(t.balance()[:-2])
    t.send(*[b"X-More: %d\r\n" % at * 1_000 for at in range(10)])


def _in_two(request: bytes) -> tuple[bytes, bytes]:
    """Return two segments, each short enough to arrive as a whole."""
    return request[:60_000], request[60_000:]


def _edge(t: Conversation, head_bytes: int) -> bytes:
    """Return a request whose head has this length."""
    return t.balance("X-Long: " + "x" * (head_bytes - len(t.balance("X-Long: "))))


@CASES.case(200, direct=0)
def head_of_the_longest_allowed_length(t: Conversation) -> None:
    t.send(_edge(t, 64 * 1024))


@CASES.case(431, direct=0, closes=True)
def head_that_is_one_byte_too_long(t: Conversation) -> None:
    t.send(*_in_two(_edge(t, 64 * 1024 + 1)))


def _line(t: Conversation, line_bytes: int) -> bytes:
    """Return a request whose first line has this length, with its end."""
    line = t.status("").partition(b"\r\n")[0] + b"\r\n"
    return t.status("x" * (line_bytes - len(line)))


@CASES.case(404, 404, direct=0)
def request_line_of_the_longest_allowed_length(t: Conversation) -> None:
    longest = _line(t, 16 * 1024)
    t.send(longest + b"\r\n", longest)


@CASES.case(404, 414, direct=1, closes=True)
def request_line_that_is_one_byte_too_long(t: Conversation) -> None:
    t.send(t.status() + b"\r\n" + _line(t, 16 * 1024 + 1))


@CASES.case(414, direct=0, closes=True)
def request_line_that_never_ends(t: Conversation) -> None:
    t.send(b"\r\nGET /", b"x" * 9_000, b"x" * 9_000)


@CASES.case(200, direct=0)
def as_many_headers_as_allowed(t: Conversation) -> None:
    t.send(t.balance(*["X: 1"] * 998))  # Each request has two more.


@CASES.case(200, 431, direct=1, closes=True)
def too_many_headers(t: Conversation) -> None:
    t.send(t.balance(), t.balance(*["X: 1"] * 999))


def _with_length(t: Conversation, length: str, body: bytes = PROMPT) -> bytes:
    usual = b"Content-Length: %d" % len(body)
    changed = b"Content-Length: " + length.encode("latin-1")
    return t.submit(body=body).replace(usual, changed)
