"""Each wire fault as a plain socket sees it; the request has been served all the same."""

import asyncio
import gzip
import json
import select
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import pytest
from starlette.types import Message

from mock_server.domain.faults.wire import WireFault
from mock_server.settings import Settings
from mock_server.web.answer import Answer
from mock_server.web.wire_faults import HANG_S, Connection, send_faulty
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.rules.heard import Heard, heard, written

SUBMITTED = json.dumps({"input": {"prompt": "a fox"}}).encode()
OPERATIONS = ("submit", "status", "balance", "result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The answer as it would have come."""

    kind: bytes
    body: bytes


Claim = Callable[[Heard, Truth], bool]


def is_gzip(body: bytes) -> bool:
    try:
        gzip.decompress(body)
    except (OSError, EOFError):
        return False
    return True


CLAIMS: dict[str, Claim] = {
    "close": lambda came, _: came.raw == b"" and not came.is_reset,
    "reset": lambda came, _: came.raw == b"" and came.is_reset,
    "half-body": lambda came, true: (
        came.header("content-length") == b"%d" % len(true.body)
        and came.body == true.body[: len(true.body) // 2]
    ),
    "garbage": lambda came, _: bool(came.raw) and not came.raw.startswith(b"HTTP/"),
    "empty": lambda came, _: came.status == b"200" and came.is_whole and came.body == b"",
    "html-error": lambda came, _: (
        came.status == b"502"
        and came.header("content-type").startswith(b"text/html")
        and came.body.startswith(b"<html>")
        and came.is_whole
    ),
    "wrong-content-type": lambda came, true: (
        came.header("content-type").startswith(b"text/html")
        and came.body == true.body
        and came.is_whole
    ),
    "invalid-json": lambda came, true: (
        came.header("content-type") == true.kind and not came.has_json and came.is_whole
    ),
    "bad-gzip": lambda came, _: (
        came.header("content-encoding") == b"gzip" and not is_gzip(came.body) and came.is_whole
    ),
}
COMES_WHOLE = ("empty", "html-error", "wrong-content-type", "invalid-json", "bad-gzip")


def request_of(api: Api, operation: str) -> tuple[str, bytes]:
    """Return a request line and a body; what a question asks for exists and has ended."""
    if operation == "submit":
        return f"POST {SUBMIT}", SUBMITTED
    if operation == "balance":
        return f"GET {BALANCE}", b""
    task_id = api.submit("[[mock pending=0 processing=0]]")
    if operation == "status":
        return f"GET {STATUS}?taskId={task_id}", b""
    url = api.result_urls(task_id)[0]
    return f"GET /results/{url.partition('/results/')[2]}", b""


def last_entry(api: Api) -> Json:
    entry: Json = api.told("GET", "journal?limit=1")["entries"][0]
    return entry


def answered(mock: RunningMock, api: Api, line: str) -> Truth:
    """Return what was answered before it broke: the journal keeps it, but for a picture."""
    if "/results/" in line:
        return Truth(kind=b"image/png", body=heard(mock, written(api, line)).body)
    body: str = last_entry(api)["answer"]["body"]
    return Truth(kind=b"application/json", body=body.encode())


def test_every_wire_fault_has_a_claim() -> None:
    assert {*CLAIMS, "dribble", "hang"} == set(WireFault)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("wire", CLAIMS)
def test_an_answer_breaks_as_asked_once(
    mock: RunningMock, api: Api, wire: str, operation: str
) -> None:
    line, body = request_of(api, operation)
    api.told("POST", "next", {"apply": {"wire": wire}})

    broken = heard(mock, written(api, line, body))

    entry = last_entry(api)
    assert CLAIMS[wire](broken, answered(mock, api, line)), broken
    assert (entry["operation"], entry["fault"]) == (operation, f"wire {wire}")
    assert entry["injected"] == [{"kind": "wire", "name": wire}]
    assert heard(mock, written(api, line, body)).status == b"200"


@pytest.mark.parametrize("wire", [*CLAIMS, "dribble"])
def test_an_answer_breaks_over_tls_as_it_does_without(secure_mock: RunningMock, wire: str) -> None:
    api = secure_mock.api(f"sk-secure-{wire}")
    line, body = request_of(api, "status")
    api.told("POST", "next", {"apply": {"wire": wire}})

    broken = heard(secure_mock, written(api, line, body))

    whole = answered(secure_mock, api, line)
    if wire == "dribble":
        assert (broken.body, broken.pieces > 10) == (whole.body, True)
    else:
        assert CLAIMS[wire](broken, whole), broken
    assert last_entry(api)["fault"] == f"wire {wire}"
    assert api.control("DELETE", "sandbox").status_code == 204


def test_bytes_dribble_one_by_one_and_all_of_them(mock: RunningMock, api: Api) -> None:
    requests = [request_of(api, operation) for operation in OPERATIONS]
    unpaid = heard(mock, written(api, *requests[2])).body
    api.told("POST", "next", {"apply": {"wire": "dribble"}, "count": len(requests)})

    def dribbled(request: tuple[str, bytes]) -> Heard:
        return heard(mock, written(api, *request))

    with ThreadPoolExecutor(len(requests)) as clients:
        submitted, status, balance, picture = clients.map(dribbled, requests)

    assert (
        json.loads(submitted.body)["data"]["taskId"]
        == api.told("GET", "tasks")["tasks"][0]["task_id"]
    )
    # The balance is read before or after the submit is paid: they run side by side.
    assert balance.body in {unpaid, heard(mock, written(api, *requests[2])).body}
    assert status.body == heard(mock, written(api, *requests[1])).body
    assert picture.body == heard(mock, written(api, *requests[3])).body
    assert all(each.is_whole for each in (submitted, status, balance, picture))
    assert all(each.pieces > 10 for each in (submitted, status, balance, picture))


@pytest.mark.parametrize("wire", CLAIMS)
def test_the_task_of_a_lost_answer_exists_and_is_paid(
    mock: RunningMock, api: Api, wire: str
) -> None:
    api.told("POST", "rules", {"match": {"operation": "submit"}, "apply": {"wire": wire}})

    heard(mock, written(api, f"POST {SUBMIT}", SUBMITTED))
    api.advance("2m")

    [task] = api.told("GET", "tasks")["tasks"]
    assert task["state"] == "success"
    assert api.balance() == pytest.approx(100_000 - 0.035)


@pytest.mark.parametrize("wire", COMES_WHOLE)
def test_after_a_whole_answer_the_same_connection_serves_on(
    mock: RunningMock, api: Api, wire: str
) -> None:
    api.told("POST", "next", {"apply": {"wire": wire}})
    first = written(api, f"GET {BALANCE}", is_last=False)

    came = heard(mock, first + written(api, f"GET {BALANCE}"))

    assert came.raw.count(b"HTTP/1.1 ") == 2
    assert came.raw.endswith(heard(mock, written(api, f"GET {BALANCE}")).body)


@pytest.mark.parametrize("wire", sorted(CLAIMS.keys() - set(COMES_WHOLE)))
def test_after_a_broken_one_it_serves_no_more_and_nothing_is_left_behind(
    serve: Serve, wire: str
) -> None:
    mock = serve(Settings(clock="manual", seed=7))  # its end tells what is left
    api = mock.api("a-key-of-wire-faults")
    api.told("POST", "next", {"apply": {"wire": wire}})
    first = written(api, f"GET {BALANCE}", is_last=False)

    came = heard(mock, first + written(api, f"GET {BALANCE}"))

    assert came.raw.count(b"HTTP/1.1 ") == (wire == "half-body")
    assert api.told("POST", "journal/count", {"operation": "balance"}) == {"count": 1}


@pytest.mark.parametrize("wire", CLAIMS)
def test_answers_without_a_body_break_without_harm(mock: RunningMock, api: Api, wire: str) -> None:
    line, _ = request_of(api, "result")
    head = line.replace("GET", "HEAD")
    api.told("POST", "rules", {"match": {"operation": "result"}, "apply": {"wire": wire}})

    heard(mock, written(api, head))
    heard(mock, written(api, line, headers=("If-None-Match: *",)))
    heard(mock, written(api, line, headers=("Range: bytes=999999999-",)))

    api.told("DELETE", "rules")
    assert heard(mock, written(api, line)).status == b"200"


def bad_submits(api: Api) -> Iterator[bytes]:
    yield written(api, f"POST {SUBMIT}", b"no JSON")
    yield written(api, f"POST {SUBMIT}", b'{"input": {"prompt": ""}}')
    yield written(api, "POST /api/v1/generateTask/unknown-model", SUBMITTED)


@pytest.mark.parametrize("wire", CLAIMS)
def test_refusals_break_as_well(mock: RunningMock, api: Api, wire: str) -> None:
    api.told("POST", "rules", {"apply": {"wire": wire}})

    for request in bad_submits(api):
        came = heard(mock, request)
        assert CLAIMS[wire](came, answered(mock, api, "")), came

    assert api.told("GET", "tasks") == {"tasks": []}


def test_hanging_answer_begins_and_stays_open(mock: RunningMock, api: Api) -> None:
    api.told("POST", "next", {"apply": {"wire": "hang"}})

    with mock.connect() as connection:
        connection.sendall(written(api, f"GET {BALANCE}"))
        came = b""
        while not came.partition(b"\r\n\r\n")[2]:
            came += connection.recv(65536)
        more, _, _ = select.select([connection], [], [], 0)

        assert came.startswith(b"HTTP/1.1 200")
        assert more == []
        assert last_entry(api)["fault"] == "wire hang"


def test_hanging_answer_ends_when_its_time_is_over() -> None:
    """The sleep of this test returns at once, as if ten minutes had passed."""
    sent: list[Message] = []
    slept: list[float] = []
    connection = OpenConnection()

    async def send(message: Message) -> None:
        sent.append(message)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def answer() -> None:
        head: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await send_faulty(
            WireFault.HANG,
            Answer(200, b"{}", 0),
            head,
            connection=cast(Connection, connection),
            send=send,
            sleep=sleep,
        )

    asyncio.run(answer())

    assert slept == [HANG_S]
    assert [each.get("body") for each in sent] == [None, b"{"]
    assert connection.is_closed


@pytest.mark.parametrize(
    ("wire", "status"), [("html-error", 502), ("empty", 200), ("close", None), ("half-body", 400)]
)
def test_journal_has_the_status_that_the_client_received(
    mock: RunningMock, api: Api, wire: str, status: int | None
) -> None:
    api.told("POST", "rules", {"match": {}, "apply": {"wire": wire}})

    heard(mock, written(api, f"POST {SUBMIT}", b"no JSON"))

    entry = last_entry(api)
    assert (entry["status"], entry["client_status"]) == (400, status)


class OpenConnection:
    """A connection that the client does not close."""

    def __init__(self) -> None:
        self._lost = asyncio.Event()
        self.is_closed = False

    @property
    def transport(self) -> "OpenConnection":
        return self

    def close(self) -> None:
        self.is_closed = True
        self._lost.set()

    async def lost(self) -> None:
        await self._lost.wait()
