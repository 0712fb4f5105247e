"""Request lines, usual ones and odd ones: methods, targets and versions."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT

CASES = Cases()


@CASES.case(200, 404, 200, direct=0)
def absolute_form_targets(t: Conversation) -> None:
    t.send(t.request(f"GET http://mock.test{BALANCE} HTTP/1.1"))
    t.send(t.request(f"GET http://other.test:81{STATUS}?taskId=x HTTP/1.1"))
    t.send(t.submit().replace(SUBMIT.encode(), b"HTTP://mock.test" + SUBMIT.encode()))


@CASES.case(404, 404, direct=0)
def targets_with_a_fragment(t: Conversation) -> None:
    t.send(
        t.request(f"GET {STATUS}?taskId=x#part HTTP/1.1") + t.request(f"GET {BALANCE}/#a HTTP/1.1")
    )


@CASES.case(200, 404, 200, 200, direct=0)
def percent_encoded_paths(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE.replace('b', '%62')} HTTP/1.1"))
    t.send(t.request(f"GET {STATUS.replace('-', '%2D')}?taskId=x HTTP/1.1"))
    t.send(t.request(f"GET {BALANCE.replace('s/c', 's%2Fc')} HTTP/1.1"))
    t.send(t.submit().replace(b"gpt-image-1", b"gpt%2dimage%2D1"))


@CASES.case(404, 404, 404, 404, direct=0)
def paths_that_are_almost_known(t: Conversation) -> None:
    for path in (f"{BALANCE}/", f"/{BALANCE}", f"{BALANCE}%00", f"{BALANCE}%FF"):
        t.send(t.request(f"GET {path} HTTP/1.1"))


@CASES.case(200, 200, 404, direct=1)
def queries_of_calls_without_parameters(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE}? HTTP/1.1") + t.request(f"GET {BALANCE}?a=b HTTP/1.1"))
    t.send(t.request(f"GET {BALANCE}%3Fa=b HTTP/1.1"))


@CASES.case(200, 200, direct=1)
def queries_of_a_submit(t: Conversation) -> None:
    t.send(t.submit().replace(b" HTTP", b"? HTTP") + t.submit().replace(b" HTTP", b"?a=b HTTP"))


@CASES.case(400, direct=0, closes=True)
def path_without_a_slash(t: Conversation) -> None:
    t.send(t.request("GET api/v1 HTTP/1.1"))


@CASES.case(404, 405, direct=0)
def path_of_one_slash(t: Conversation) -> None:
    t.send(t.request("OPTIONS * HTTP/1.1") + t.request("POST / HTTP/1.1"))


@CASES.case(405, 405, 405, 204, 204, 405, 200, direct=1)
def methods_that_are_not_allowed(t: Conversation) -> None:
    for method in ("HEAD", "DELETE", "POST", "OPTIONS"):
        t.send(t.request(f"{method} {BALANCE} HTTP/1.1"))
    t.send(
        t.request(f"OPTIONS {SUBMIT} HTTP/1.1"), t.request(f"GET {SUBMIT} HTTP/1.1"), t.balance()
    )


@CASES.case(405, 405, 200, direct=1)
def head_requests(t: Conversation) -> None:
    t.send(t.request(f"HEAD {STATUS}?taskId=x HTTP/1.1") + t.request(f"HEAD {SUBMIT} HTTP/1.1"))
    t.settle()
    t.send(t.balance())


@CASES.case(400, direct=0, closes=True)
def method_in_lower_case(t: Conversation) -> None:
    t.send(t.request(f"get {BALANCE} HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def method_that_does_not_exist(t: Conversation) -> None:
    t.send(t.request(f"GETS {BALANCE} HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def method_connect(t: Conversation) -> None:
    t.send(t.request("CONNECT mock.test:80 HTTP/1.1"))


@CASES.case(405, direct=0)
def method_connect_with_a_path(t: Conversation) -> None:
    t.send(t.request(f"CONNECT {BALANCE} HTTP/1.1"))


@CASES.case(200, 200, direct=0)
def more_spaces_in_the_request_line(t: Conversation) -> None:
    t.send(t.request(f"GET  {BALANCE} HTTP/1.1") + t.request(f"GET {BALANCE}  HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def space_after_the_version(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE} HTTP/1.1 "))


@CASES.case(400, direct=0, closes=True)
def space_before_the_method(t: Conversation) -> None:
    t.send(t.request(f" GET {BALANCE} HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def space_in_the_path(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE} x HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def tab_in_the_request_line(t: Conversation) -> None:
    t.send(t.request(f"GET\t{BALANCE} HTTP/1.1"))


@CASES.case(200, direct=0, closes=True)
def request_line_without_version(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE}"))


@CASES.case(400, direct=0, closes=True)
def version_1_2(t: Conversation) -> None:
    t.send(t.balance().replace(b"HTTP/1.1", b"HTTP/1.2"))


@CASES.case(200, direct=0, closes=True)
def version_2(t: Conversation) -> None:
    t.send(t.balance().replace(b"HTTP/1.1", b"HTTP/2.0"))


@CASES.case(400, direct=0, closes=True)
def version_in_lower_case(t: Conversation) -> None:
    t.send(t.balance().replace(b"HTTP/1.1", b"http/1.1"))


@CASES.case(401, direct=0, closes=True)
def version_0_9(t: Conversation) -> None:
    t.send(b"GET " + BALANCE.encode() + b"\r\n\r\n")


@CASES.case(200, 400, direct=1, closes=True)
def preface_of_http_2(t: Conversation) -> None:
    t.send(t.balance() + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@CASES.case(400, direct=0, closes=True)
def tls_handshake(t: Conversation) -> None:
    t.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64)


@CASES.case(200, 400, direct=1, closes=True)
def tls_handshake_after_a_request(t: Conversation) -> None:
    t.send(t.balance() + b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64)


@CASES.case(400, direct=0, closes=True)
def nul_in_the_path(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE}\0 HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def nul_before_a_request(t: Conversation) -> None:
    t.send(b"\0" + t.balance())


@CASES.case(400, direct=0, closes=True)
def bytes_beyond_ascii_in_the_path(t: Conversation) -> None:
    t.send(t.request(f"GET {BALANCE}é HTTP/1.1"))


@CASES.case(400, direct=0, closes=True)
def bytes_beyond_ascii_in_the_query(t: Conversation) -> None:
    t.send(t.request(f"GET {STATUS}?taskId=é HTTP/1.1"))
