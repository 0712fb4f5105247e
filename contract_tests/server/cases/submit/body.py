"""SUB: the body of a submit as a whole, its outer members, other models."""

from typing import Any

from contract_tests.contract.provider import GENERATE
from contract_tests.server.case import Case
from contract_tests.server.cases.reading import result_urls, task_id_of
from contract_tests.server.examples import Row, cases_of
from contract_tests.server.probe import Probe

FOX: dict[str, Any] = {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}
ACCEPTED = {"data": {"taskId": str}}
_JSON = {"Content-Type": "application/json"}
_PLAIN = b'{"input":{"mode":"gpt-image-1","prompt":"a red fox in the snow"}}'
_WHOLE = {
    "request_type": "async",
    "provider": "auto",
    "input": FOX | {"aspect_ratio": "1:1", "num_images": 1, "image_urls": []},
}


def refused(number: int, title: str, clause: str, body: object, *names: str) -> Row:
    return Row(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause, "SUB-14") if names else (clause,),
        body=body,
        status=400,
        names=names,
    )


def taken(number: int, title: str, clause: str, body: object, *, is_smoke: bool = False) -> Row:
    return Row(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause,),
        body=body,
        status=200,
        reply=ACCEPTED,
        is_smoke=is_smoke,
    )


def _raw(number: int, title: str, clause: str, content: bytes, headers: dict[str, str]) -> Row:
    return Row(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause,),
        content=content,
        headers=headers,
        status=400,
    )


_ROWS = (
    taken(1, "a submit answers with a task id", "SUB-1", {"input": FOX}, is_smoke=True),
    taken(2, "a body with every member is taken", "SUB-2", _WHOLE),
    _raw(3, "a body that is no JSON is refused", "SUB-14", b"{", _JSON),
    _raw(4, "an empty body is refused", "SUB-14", b"", _JSON),
    _raw(5, "a list is refused", "SUB-2", b"[]", _JSON),
    _raw(6, "a text is refused", "SUB-2", b'"a red fox"', _JSON),
    _raw(7, "null is refused", "SUB-2", b"null", _JSON),
    _raw(8, "a body that is not UTF-8 is refused", "SUB-14",
         b'{"input":{"mode":"gpt-image-1","prompt":"\xff"}}', _JSON),
    _raw(46, "a body with something behind it is refused", "SUB-14", _PLAIN + b" x", _JSON),
    _raw(47, "a body with a number that JSON does not know is refused", "SUB-14",
         b'{"input":{"mode":"gpt-image-1","prompt":"a red fox","num_images":NaN}}', _JSON),
    _raw(48, "a body that is nested without end is refused", "SUB-14", b"[" * 20_000, _JSON),
    _raw(49, "a body without a content type is refused", "SUB-2", _PLAIN, {}),
    taken(20, "request_type async is taken", "SUB-3", _WHOLE),
    taken(21, "request_type may be left out", "SUB-3", {"input": FOX}),
    refused(22, "an unknown request_type is refused", "SUB-3",
            {"request_type": "webhook", "input": FOX}, "request_type"),
    refused(23, "a request_type in capitals is refused", "SUB-3",
            {"request_type": "ASYNC", "input": FOX}, "request_type"),
    refused(24, "a request_type that is no text is refused", "SUB-3",
            {"request_type": 1, "input": FOX}, "request_type"),
    refused(38, "an empty request_type is refused", "SUB-3",
            {"request_type": "", "input": FOX}, "request_type"),
    refused(25, "a callback without an address is refused", "SUB-4",
            {"request_type": "callback", "input": FOX}, "callback_url"),
    refused(26, "a callback to an empty address is refused", "SUB-4",
            {"request_type": "callback", "callback_url": "", "input": FOX}, "callback_url"),
    refused(27, "a callback to no address is refused", "SUB-4",
            {"request_type": "callback", "callback_url": None, "input": FOX}, "callback_url"),
    refused(39, "a callback to something that is no text is refused", "SUB-4",
            {"request_type": "callback", "callback_url": 7, "input": FOX}, "callback_url"),
    taken(30, "provider auto is taken", "SUB-6", {"provider": "auto", "input": FOX}),
    taken(31, "provider value is taken", "SUB-6", {"provider": "value", "input": FOX}),
    taken(32, "provider official is taken", "SUB-6", {"provider": "official", "input": FOX}),
    refused(33, "an unknown provider is refused", "SUB-6",
            {"provider": "cheapest", "input": FOX}, "provider"),
    refused(34, "a provider that is no text is refused", "SUB-6",
            {"provider": ["auto"], "input": FOX}, "provider"),
    refused(92, "an empty provider is refused", "SUB-6",
            {"provider": "", "input": FOX}, "provider"),
    refused(93, "a provider in capitals is refused", "SUB-6",
            {"provider": "AUTO", "input": FOX}, "provider"),
    taken(94, "provider may be left out", "SUB-6", {"input": FOX}),
    refused(35, "a body without input is refused", "SUB-7", {"provider": "auto"}, "input"),
    refused(36, "an input that is no object is refused", "SUB-7", {"input": "a fox"}, "input"),
    refused(37, "an input that is null is refused", "SUB-7", {"input": None}, "input"),
    refused(95, "an input that is a list is refused", "SUB-7", {"input": [FOX]}, "input"),
    refused(96, "an empty input is refused", "SUB-7", {"input": {}}, "input.prompt"),
    refused(97, "members of input beside it are no input", "SUB-7", FOX, "input"),
    Row(
        id="S-SUB-040", title="a submit for a model that is not served is not found",
        clauses=("SUB-18",), path="/api/v1/generateTask/no-such-model", body={"input": FOX},
        status=404,
    ),
    taken(41, "unknown members are ignored", "SUB-15",
          {"webhook": "https://example.com", "input": FOX | {"seed": 7, "quality": "high"}}),
    taken(42, "nVariants and isEnhance of older pages are ignored", "SUB-16",
          {"input": FOX | {"nVariants": 3, "isEnhance": "yes"}}),
)  # fmt: skip


def _unique(probe: Probe) -> None:
    ids = [task_id_of(probe.submit()) for _ in range(3)]
    probe.check(
        "SUB-1",
        None not in ids and len(set(ids)) == len(ids),
        expected="three task ids, none like another",
        seen=ids,
    )


def _content_type(probe: Probe) -> None:
    for kind, status in (
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 400),
        ("application/jsonp", 400),
        ("application/x-www-form-urlencoded", 400),
    ):
        answer = probe.send("POST", GENERATE, content=_PLAIN, headers={"Content-Type": kind})
        probe.check(
            "SUB-2", answer.status == status, expected=f"HTTP {status} for {kind}", seen=answer
        )


def _older_names(probe: Probe) -> None:
    task_id = probe.task(nVariants=4, isEnhance=True)
    answer = probe.ended(task_id)
    probe.check(
        "SUB-16",
        len(result_urls(answer)) == 1,
        expected="one picture: nVariants does not count",
        seen=answer,
    )


CASES = (
    *cases_of(_ROWS),
    Case(
        id="S-SUB-009",
        title="no two tasks have the same id",
        clauses=("SUB-1",),
        sends="three submits",
        expects="three different task ids",
        run=_unique,
        images=3,
        worst_images=3,
    ),
    Case(
        id="S-SUB-010",
        title="the content type must be JSON",
        clauses=("SUB-2",),
        sends="the same body under six content types",
        expects="200 for JSON, with parameters and in any case too; 400 for others",
        run=_content_type,
        images=3,
        worst_images=6,
    ),
    Case(
        id="S-SUB-043",
        title="nVariants does not say how many pictures are made",
        clauses=("SUB-16",),
        sends="a submit with nVariants 4",
        expects="one picture",
        run=_older_names,
        images=1,
        worst_images=4,
    ),
)
