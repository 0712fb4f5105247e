"""Bodies that follow later or in chunks."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import PROMPT, Conversation
from tests.mock_server.e2e.api import SUBMIT

CASES = Cases()


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


@CASES.case(400, direct=0, closes=True)
def chunked_body_with_a_content_length(t: Conversation) -> None:
    t.send(_chunked(t, _chunk(PROMPT), b"0\r\n\r\n", headers=("Content-Length: 3",)) + t.balance())


@CASES.case(400, direct=0, closes=True)
def transfer_encoding_of_another_kind(t: Conversation) -> None:
    t.send(t.request(f"POST {SUBMIT} HTTP/1.1", "Transfer-Encoding: gzip") + t.balance())


@CASES.case(200, 200, direct=0)
def get_with_a_chunked_body(t: Conversation) -> None:
    t.send(t.balance("Transfer-Encoding: chunked") + _chunk(b"abc") + b"0\r\n\r\n" + t.balance())


def _padded(line: bytes, line_bytes: int) -> bytes:
    """Return a line of this length, with its end."""
    return line.ljust(line_bytes - 2, b"x") + b"\r\n"


@CASES.case(200, 200, direct=0)
def chunked_body_with_the_longest_trailers(t: Conversation) -> None:
    trailers = b"A: 1\r\n" + _padded(b"Authorization: ", 8 * 1024 - len(b"A: 1\r\n\r\n")) + b"\r\n"
    request = _chunked(t, _chunk(PROMPT), b"0\r\n", trailers)
    t.send(request, request[:-3], request[-3:])


@CASES.case(200, 431, direct=1, closes=True)
def chunked_body_with_long_trailers(t: Conversation) -> None:
    t.send(t.balance() + _chunked(t, _chunk(PROMPT), b"0\r\n", b"A: 1\r\n" * 1_366, b"\r\n"))


@CASES.case(431, direct=0, closes=True)
def chunked_body_with_a_trailer_without_end(t: Conversation) -> None:
    t.send(_chunked(t, _chunk(PROMPT), b"0\r\nA: ") + b"x" * 8_000, b"x" * 200)


@CASES.case(200, direct=0)
def chunked_body_with_the_longest_extension(t: Conversation) -> None:
    start, _, rest = _chunk(PROMPT, b";").partition(b"\r\n")
    t.send(_chunked(t, _padded(start, 8 * 1024), rest, b"0\r\n\r\n"))


@CASES.case(200, 400, direct=1, closes=True)
def chunked_body_with_a_long_extension(t: Conversation) -> None:
    start, _, rest = _chunk(PROMPT, b";").partition(b"\r\n")
    t.send(t.balance() + _chunked(t, _padded(start, 8 * 1024 + 1), rest, b"0\r\n\r\n"))


@CASES.case(400, direct=0, closes=True)
def chunked_body_with_an_endless_size(t: Conversation) -> None:
    t.send(_chunked(t, b"0" * 8_000), b"0" * 200)


@CASES.case(200, 200, direct=0)
def chunked_body_with_line_ends_in_its_data(t: Conversation) -> None:
    body = PROMPT.replace(b":", b":\r\n\r\n0\r\n\r\n".replace(b"0", b" "))
    t.send(_chunked(t, _chunk(body), b"0\r\n\r\n") + t.balance())
