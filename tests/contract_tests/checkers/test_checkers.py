"""A true history has no violation, and each break of it is found, whatever the exchange."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.checkers import check_trace
from contract_tests.server.checkers.run_ids import RunIds
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    HttpExchange,
    Pause,
    Request,
    Response,
)
from contract_tests.server.target import Target
from tests.contract_tests.checkers.stories import (
    Break,
    Events,
    answered,
    answers,
    body,
    clauses_found,
    copies,
    data,
    envelope,
    every,
    header,
    in_state,
    is_accepted,
    is_balance,
    is_download,
    is_status,
    is_submit,
    is_unknown_task,
    status,
    urls,
)

BREAKS: dict[str, tuple[str, Break]] = {
    "a success without a message": ("ENV-1", answers(is_submit, envelope(message=""))),
    "a balance with code 0": ("ENV-1", answers(is_balance, envelope(code=0))),
    "an error with another code": ("ENV-2", answers(answered(404), envelope(code=400))),
    "a 429 with code 200": ("ENV-2", answers(answered(429), envelope(code=200), -1)),
    "an error with a text in data": ("ENV-2", answers(answered(400), envelope(data="no"), -1)),
    "an error in plain text": ("ENV-3", answers(answered(401), header("content-type", None))),
    "a later status in HTML": ("ENV-3", answers(is_status, header("content-type", "text/html"), 9)),
    "a final state without its task": ("STA-3", answers(in_state("success"), data(taskId="x"), -1)),
    "a state in capitals": ("STA-4", answers(in_state("failed"), data(state="FAILED"), -1)),
    "a state that goes back": (
        "STA-5",
        answers(in_state("success"), data(state="processing", resultJson=None), -1),
    ),
    "a state that goes back after the callback": (
        "STA-5",
        every(
            in_state("success"),
            data(state="processing", resultJson=None, completeTime=None, costTime=None),
        ),
    ),
    "a final answer with another time": (
        "STA-5",
        answers(in_state("failed"), data(completeTime=lambda ms: ms + 1), -1),
    ),
    "a result as an object": ("STA-6", answers(in_state("success"), data(resultJson=json.loads))),
    "a result while processing": (
        "STA-6",
        answers(in_state("processing"), data(resultJson='{"resultUrls": []}'), 2),
    ),
    "a failure without a message": ("STA-8", answers(in_state("failed"), data(failMsg=None))),
    "an empty fail code": ("STA-8", answers(in_state("failed"), data(failCode=""), -1)),
    "a pending task with a cost": ("STA-9", answers(in_state("pending"), data(costTime=0), 1)),
    "a time in seconds": (
        "STA-9",
        answers(in_state("failed"), data(createTime=lambda ms: ms // 1000), -1),
    ),
    "a cost above the duration": (
        "STA-10",
        answers(in_state("success"), data(costTime=10**9), 2),
    ),
    "a cost in seconds": (
        "STA-10",
        every(in_state("failed"), data(costTime=lambda ms: ms // 1000)),
    ),
    "a creation a second before the submit": (
        "STA-9",
        every(is_status, data(createTime=lambda ms: ms - 1000)),
    ),
    "a creation that moves": ("STA-9", answers(is_status, data(createTime=lambda ms: ms + 1), 4)),
    "an end in the future": (
        "STA-9",
        every(in_state("success"), data(completeTime=lambda ms: ms + 60_000)),
    ),
    "an end before the last look": (
        "STA-9",
        every(in_state("success"), data(completeTime=lambda ms: ms - 9_000)),
    ),
    "a task that takes minutes": (
        "TIM-1",
        every(in_state("failed"), data(completeTime=lambda ms: ms + 600_000)),
    ),
    "three pictures of two": (
        "STA-7",
        every(in_state("success"), data(resultJson=urls(lambda it: [*it, "http://h/x"]))),
    ),
    "one URL twice": (
        "STA-7",
        every(in_state("success"), data(resultJson=urls(lambda it: [it[0]] * len(it)))),
    ),
    "another fail code": (
        "FAIL-2",
        every(in_state("failed"), data(failCode="GENERATION_FAILED")),
    ),
    "a violation that is called something else": (
        "FAIL-1",
        answers(in_state("failed"), data(failCode="INVALID_IMAGE_URL"), 1),
    ),
    "a task without a reason to fail": (
        "FAIL-3",
        every(
            in_state("success"),
            data(state="failed", resultJson=None, failCode="NSFW", failMsg="no"),
        ),
    ),
    "a result that is gone early": ("RES-1", answers(is_download, status(404), 1)),
    "a result that stays": ("RES-1", copies(is_download, -1, is_download, 0)),
    "a result for the key only": ("RES-3", answers(is_download, status(401), 2)),
    "a result that counts": ("LIM-3", answers(is_download, status(429), 2)),
    "a truncated picture": ("RES-2", answers(is_download, body(lambda it: it[:-2000]), 1)),
    "a picture without its end": ("RES-2", answers(is_download, body(lambda it: it[:-12]), 1)),
    "a picture as text": ("RES-2", answers(is_download, header("content-type", "text/plain"), 0)),
    "a PNG as JPEG": ("RES-2", answers(is_download, header("content-type", "image/jpeg"), 0)),
    "a picture of another ratio": ("RES-2", copies(is_download, 0, is_download, 2)),
    "the same picture twice": ("RES-2", copies(is_download, 1, is_download, 0)),
    "no key, no 401": ("AUTH-2", answers(answered(401), status(404))),
    "a valid key, and 401": ("AUTH-1", answers(is_balance, status(401), 3)),
    "another key's task": ("AUTH-4", copies(answered(404), 0, is_status, 0)),
    "an unknown task with 400": ("STA-2", answers(is_unknown_task, status(400))),
    "a task that is lost": ("STA-3", answers(in_state("success"), status(404), -1)),
    "a missing id with 404": ("STA-1", answers(answered(400), status(404), -1)),
    "an id again": ("SUB-1", copies(is_accepted, 2, is_accepted, 0)),
    "an id of another key": ("SUB-1", copies(is_accepted, 5, is_accepted, 0)),
    "a submit without an id": ("SUB-1", answers(is_accepted, data(taskId=""), -1)),
    "three images": ("SUB-11", copies(answered(400), 0, is_accepted, 0)),
    "an error without the path": ("SUB-14", answers(answered(400), status(400))),
    "an error of another kind": ("SUB-14", answers(answered(400), status(422))),
    "a valid submit that is rejected": ("SUB-1", answers(is_accepted, status(400), 3)),
}


def test_a_true_history_has_no_violation(history: Events, target: Target) -> None:
    assert check_trace(history, target) == []


@pytest.mark.parametrize(("clause", "broken"), BREAKS.values(), ids=BREAKS)
def test_a_broken_exchange_is_found_with_its_clause(
    clause: str, broken: Break, history: Events, target: Target
) -> None:
    assert clause in clauses_found(broken(history), target)


# Members that the contract names, with values of every kind.
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2**60), st.floats(), st.sampled_from(
        ["success", "failed", "processing", "pending", "t", "", "http://h/x", '{"resultUrls": [1]}']
    ),
)  # fmt: skip
members: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(
        ["code", "message", "data", "taskId", "state", "createTime", "completeTime", "costTime",
         "resultJson", "failCode", "failMsg", "settings", "mode", "now_ms", "rules", "input",
         "prompt", "num_images", "request_type", "callback_url", "balance", "fired", "image_urls"]
    ),
    st.deferred(lambda: values), max_size=6,
)  # fmt: skip
values: st.SearchStrategy[Any] = scalars | st.lists(scalars, max_size=3) | members
bodies = st.binary(max_size=20) | values.map(lambda value: json.dumps(value).encode())
pairs = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Retry-After", "Date", "X"]),
        st.sampled_from(["application/json", "7", "x", "Sat, 28 Nov 2026 01:13:41 GMT", ""]),
    ),
    max_size=3,
).map(tuple)
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE"]),
    path=st.sampled_from(
        [GENERATE, STATUS, BALANCE, f"{STATUS}x", "/_mock/sandbox", "/_mock/clock", "/_mock/rules",
         "/_mock/clock/advance", "/_mock/tasks/t/finish", "http://h/x", "/"]
    ),
    query=st.sampled_from([(), (("taskId", "t"),), (("taskId", ""),)]),
    headers=pairs,
    body=bodies,
    key=st.sampled_from(["own", "other", "none", "own as bearer"]),
)  # fmt: skip
instants = st.integers(0, 2**42)
responses = st.builds(
    Response,
    status=st.sampled_from([0, 200, 204, 400, 401, 404, 429, 500]),
    headers=pairs,
    body=bodies,
    error=st.none() | st.just("lost"),
    sent_ms=instants,
    answered_ms=instants,
)
callbacks = st.builds(
    Delivery,
    method=st.sampled_from(["POST", "GET"]),
    headers=pairs,
    body=bodies,
    answered=st.sampled_from([0, 200, 500]),
    at_ms=instants,
    delay_ms=st.integers(0, 40_000),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(HttpExchange, request=requests, response=responses),
    st.builds(HttpExchange, request=requests, response=responses),
    st.builds(
        Burst,
        request=requests,
        count=st.integers(0, 9),
        statuses=st.just(((200, 2), (429, 1))),
        last=responses,
    ),
    st.builds(Pause, seconds=st.floats(0, 9)),
    st.builds(
        Deliveries,
        name=st.sampled_from(["a", "b"]),
        deliveries=st.lists(callbacks, max_size=3).map(tuple),
    ),
)
targets = st.builds(
    Target,
    base_url=st.just("http://127.0.0.1:1"),
    is_live=st.booleans(),
    settings=st.none() | members,
    info=st.none() | members,
    has_other_key=st.booleans(),
    has_own_keys=st.booleans(),
)


@given(st.lists(events, max_size=12).map(tuple), targets)
def test_no_checker_raises_whatever_a_server_answers(some: Events, target: Target) -> None:
    check_trace(some, target)


def test_a_task_id_of_another_case_is_found(history: Events, target: Target) -> None:
    ids = RunIds(target)

    assert ids.add("S-SUB-901", history) == []
    assert ids.add("S-SUB-901", history) == []
    assert [finding.clause for finding in ids.add("S-SUB-902", history)] == ["SUB-1"]


def test_cases_that_share_a_key_of_a_mock_may_get_the_same_ids(
    history: Events, target: Target
) -> None:
    ids = RunIds(msgspec.structs.replace(target, has_own_keys=False))

    assert ids.add("S-SUB-901", history) == ids.add("S-SUB-902", history) == []
