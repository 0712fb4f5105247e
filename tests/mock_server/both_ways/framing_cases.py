"""Where requests begin and end: pipelining, broken requests, the end of a connection."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.e2e.api import BALANCE

CASES = Cases()
_NONSENSE = b"NONSENSE\r\n\r\n"


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


@CASES.case(200, 200, direct=0)
def upgrades(t: Conversation) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    t.send(t.submit(*offer) + t.balance("Connection: upgrade", "Upgrade: websocket"))


@CASES.case(200, 200, 200, direct=0)
def upgrade_without_connection(t: Conversation) -> None:
    t.send(t.submit("Upgrade: h2c") + t.balance("Connection: upgrade") + t.balance("upgrade:"))
