"""Recordings of the contract kit: events that are judged without an exception, or an error."""

import tempfile
from pathlib import Path

from contract_tests.contract.errors import CassetteError
from contract_tests.server.cassettes import load, save
from contract_tests.server.checkers import check_trace
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    HttpExchange,
    Pause,
    Response,
    build_request,
)
from contract_tests.server.target import Target as Server
from tests.fuzz.generators import HARD_JSON
from tests.fuzz.target import Target

_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-cassette-")
_DIRECTORY = Path(_FOLDER.name)
_SERVER = Server(base_url="http://mock.test", is_live=False)
_SUBMIT = "/api/v1/generateTask/gpt-image-1"
_STATUS = "/api/v1/statusTask/gpt-image-1"


def _loaded(raw: bytes) -> tuple[Event, ...]:
    (_DIRECTORY / "S-1.json").write_bytes(raw)
    return load(_DIRECTORY, "S-1")


def _handle(raw: bytes) -> None:
    try:
        events = _loaded(raw)
    except CassetteError:
        return
    check_trace(events, _SERVER)


def _check(raw: bytes) -> None:
    try:
        events = _loaded(raw)
    except CassetteError:
        return
    save(_DIRECTORY, "S-2", events)
    assert load(_DIRECTORY, "S-2") == events
    for finding in check_trace(events, _SERVER, has_all_callbacks=True):
        assert finding.event is None or 0 <= finding.event < len(events)


def _seeds() -> list[bytes]:
    body = {"input": {"prompt": "a fox"}, "request_type": "callback", "callback_url": "RECEIVER/a"}
    submit = build_request("POST", _SUBMIT, body=body)
    accepted = b'{"code":200,"message":"success","data":{"taskId":"t1"}}'
    done = (
        b'{"code":200,"message":"success","data":{"taskId":"t1","state":"success","resultJson":'
        b'"{\\"resultUrls\\":[\\"http://mock.test/r/1.png\\"]}","createTime":1,"completeTime":2,'
        b'"costTime":1}}'
    )
    limited = b'{"code":429,"message":"Rate limit","data":null}'
    status = build_request("GET", _STATUS, query={"taskId": "t1"})
    json_type = (("content-type", "application/json"), ("date", "Fri, 31 Dec 1999 23:59:59 GMT"))
    events: list[list[Event]] = [
        [
            HttpExchange(
                request=submit, response=Response(status=200, headers=json_type, body=accepted)
            ),
            Pause(seconds=1.5),
            HttpExchange(
                request=status, response=Response(status=200, headers=json_type, body=done)
            ),
            Deliveries(
                name="a",
                deliveries=(Delivery(method="POST", headers=json_type, body=done, answered=200),),
            ),
        ],
        [
            Burst(
                request=build_request("GET", "/api/v1/balance"),
                count=3,
                statuses=((200, 2), (429, 1)),
                last=Response(status=429, headers=(("retry-after", "7"),), body=limited),
            ),
            HttpExchange(request=submit, response=Response(status=0, error="timeout")),
        ],
    ]
    for number, each in enumerate(events):
        save(_DIRECTORY, f"seed-{number}", each)
    return [(_DIRECTORY / f"seed-{number}.json").read_bytes() for number in range(len(events))]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(b'"type"', b'"exchange"', b'"burst"', b'"pause"', b'"deliveries"', b'"status"'),
    is_json=True,
    worst=HARD_JSON,
)
