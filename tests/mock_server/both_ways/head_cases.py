"""Headers, usual ones and odd ones."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.e2e.api import BALANCE

CASES = Cases()


@CASES.case(400, direct=0, closes=True)
def nul_in_a_header(t: Conversation) -> None:
    t.send(t.balance("X-Nul: a\0b"))


@CASES.case(400, direct=0, closes=True)
def bare_line_feeds(t: Conversation) -> None:
    t.send(t.balance().replace(b"\r\n", b"\n"))


@CASES.case(400, direct=0, closes=True)
def bare_line_feed_after_one_header(t: Conversation) -> None:
    t.send(t.balance("X-One: 1\nX-Two: 2"))


@CASES.case(400, direct=0, closes=True)
def bare_carriage_returns(t: Conversation) -> None:
    t.send(t.balance().replace(b"\r\n", b"\r"))


@CASES.case(400, direct=0, closes=True)
def bare_carriage_return_in_a_header(t: Conversation) -> None:
    t.send(t.balance("X-One: 1\r2"))


@CASES.case(400, direct=0, closes=True)
def bare_line_feed_at_the_end_of_the_head(t: Conversation) -> None:
    t.send(t.balance()[:-2] + b"\n")


@CASES.case(400, direct=0, closes=True)
def folded_header(t: Conversation) -> None:
    t.send(t.balance("X-Fold: a\r\n b"))


@CASES.case(400, direct=0, closes=True)
def folded_first_header(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE} HTTP/1.1\r\n folded"))


@CASES.case(400, direct=0, closes=True)
def header_without_a_colon(t: Conversation) -> None:
    t.send(t.balance("X-Nothing"))


@CASES.case(400, direct=0, closes=True)
def header_without_a_name(t: Conversation) -> None:
    t.send(t.balance(": nothing"))


@CASES.case(400, direct=0, closes=True)
def header_with_a_space_before_the_colon(t: Conversation) -> None:
    t.send(t.balance("X-Space : 1"))


@CASES.case(400, direct=0, closes=True)
def header_name_beyond_ascii(t: Conversation) -> None:
    t.send(t.balance("X-Bücher: 1"))


@CASES.case(200, 200, 200, direct=3)
def header_values_of_all_kinds(t: Conversation) -> None:
    t.send(t.balance("X-Value:", "X-Spaces:   ", "X-Around: \t a b \t"))
    t.send(t.balance("X-Latin: é", "X-Control: \x80\xff", "x-lower:1", "X-COLON: a:b: c"))
    t.send(t.submit('X-Quoted: "a, b"', 'X-Json: {"a":1}'))


@CASES.case(400, direct=0, closes=True)
def control_character_in_a_header(t: Conversation) -> None:
    t.send(t.balance("X-Bell: \x07"))


@CASES.case(400, direct=0, closes=True)
def delete_character_in_a_header(t: Conversation) -> None:
    t.send(t.balance("X-Delete: \x7f"))


@CASES.case(200, 200, 400, direct=0)
def repeated_headers(t: Conversation) -> None:
    t.send(t.balance("X-Twice: 1", "X-Twice: 2", "x-twice: 3"))
    t.send(t.submit("Content-Type: text/plain") + t.balance("Host: other.test"))


@CASES.case(400, 400, direct=0)
def repeated_keys(t: Conversation) -> None:
    other = f"{t.key}-other"
    t.another_key(other)
    t.send(
        t.balance("Authorization: Bearer sk-invalid") + t.submit(f"Authorization: Bearer {other}")
    )


@CASES.case(200, 200, 200, direct=2, closes=True)
def proxy_connection(t: Conversation) -> None:
    t.send(t.balance("Proxy-Connection: keep-alive") + t.balance("Keep-Alive: timeout=1"))
    t.settle()
    t.send(t.balance("Proxy-Connection: close") + t.balance())


@CASES.case(200, 200, 200, direct=2)
def header_names_in_any_case(t: Conversation) -> None:
    t.send(t.submit().replace(b"Content-", b"cOnTeNt-").replace(b"Authorization", b"AUTHORIZATION"))
    t.send(t.balance("cOnNeCtIoN: x"), t.balance("EXPECT: 100-Continue"))


@CASES.case(200, 200, direct=2)
def request_without_a_host(t: Conversation) -> None:
    t.send(t.balance().replace(b"Host: mock.test\r\n", b""))
    t.send(t.submit().replace(b"Host: mock.test\r\n", b"Host: \r\n"))


@CASES.case(200, 200, 200, 200, direct=4)
def hosts_in_the_addresses_of_results(t: Conversation) -> None:
    t.api.change(generation_time=0)
    for host in (b"a.test:81", b"[::1]:82", b"EXAMPLE", b"<\"'>"):
        t.send(t.submit().replace(b"mock.test", host))


@CASES.case(200, 200, direct=2)
def forwarded_requests(t: Conversation) -> None:
    forwarded = ("X-Forwarded-Proto: https", "X-Forwarded-Host: front.test", "Forwarded: host=x")
    t.send(t.submit(*forwarded) + t.balance(*forwarded))


@CASES.case(200, 200, 200, direct=3)
def many_headers(t: Conversation) -> None:
    headers = [f"X-Header-{at}: {'v' * (at % 9)}" for at in range(200)]
    t.send(t.balance(*headers) + t.balance(*headers) + t.submit(*reversed(headers)))


@CASES.case(200, 200, 200, 400, 400, 400, direct=6)
def types_of_bodies(t: Conversation) -> None:
    for kind in (
        b"application/json; charset=utf-8", b"APPLICATION/JSON",
        b'application/json;charset="UTF8"', b"application/json; charset=latin-1", b"text/json", b"",
    ):  # fmt: skip
        t.send(t.submit().replace(b"application/json", kind))


@CASES.case(200, 200, direct=0)
def control_calls_between_requests(t: Conversation) -> None:
    t.send(t.request("GET /_mock/clock HTTP/1.1") + t.request("GET /_mock/rules HTTP/1.1"))


@CASES.case(200, 200, 200, direct=1)
def requests_around_a_control_call(t: Conversation) -> None:
    t.send(t.balance() + t.request("GET /_mock/clock HTTP/1.1") + t.balance())
