"""SUB: the body of a submit, its outer members, and other models."""

from typing import Any

from contract_tests.contract.provider import GENERATE
from contract_tests.server.case import Case
from contract_tests.server.examples import Example, example_cases
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls, task_id_of

FOX: dict[str, Any] = {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}
ACCEPTED = {"data": {"taskId": str}}
_JSON = {"Content-Type": "application/json"}
_PLAIN = b'{"input":{"mode":"gpt-image-1","prompt":"a red fox in the snow"}}'
_WHOLE = {
    "request_type": "async",
    "provider": "auto",
    "input": FOX | {"aspect_ratio": "1:1", "num_images": 1, "image_urls": []},
}


def rejected(number: int, title: str, clause: str, body: object, *names: str) -> Example:
    return Example(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause, "SUB-14") if names else (clause,),
        body=body,
        status=400,
        names=names,
    )


def accepted(
    number: int, title: str, clause: str, body: object, *, is_smoke: bool = False
) -> Example:
    return Example(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause,),
        body=body,
        status=200,
        reply=ACCEPTED,
        is_smoke=is_smoke,
    )


def _raw(number: int, title: str, clause: str, content: bytes, headers: dict[str, str]) -> Example:
    return Example(
        id=f"S-SUB-{number:03}",
        title=title,
        clauses=(clause,),
        content=content,
        headers=headers,
        status=400,
    )


_ROWS = (
    accepted(1, "a submit returns a task id", "SUB-1", {"input": FOX}, is_smoke=True),
    accepted(2, "a body with every member is accepted", "SUB-2", _WHOLE),
    _raw(3, "a body that is not JSON is rejected", "SUB-14", b"{", _JSON),
    _raw(4, "an empty body is rejected", "SUB-14", b"", _JSON),
    _raw(5, "a list is rejected", "SUB-2", b"[]", _JSON),
    _raw(6, "a string is rejected", "SUB-2", b'"a red fox"', _JSON),
    _raw(7, "null is rejected", "SUB-2", b"null", _JSON),
    _raw(8, "a body that is not UTF-8 is rejected", "SUB-14",
         b'{"input":{"mode":"gpt-image-1","prompt":"\xff"}}', _JSON),
    _raw(46, "a body with trailing text is rejected", "SUB-14", _PLAIN + b" x", _JSON),
    _raw(47, "a body with NaN is rejected", "SUB-14",
         b'{"input":{"mode":"gpt-image-1","prompt":"a red fox","num_images":NaN}}', _JSON),
    _raw(48, "a body that is nested too deeply is rejected", "SUB-14", b"[" * 20_000, _JSON),
    _raw(49, "a body without a content type is rejected", "SUB-2", _PLAIN, {}),
    accepted(20, "request_type async is accepted", "SUB-3", _WHOLE),
    accepted(21, "request_type is optional", "SUB-3", {"input": FOX}),
    rejected(22, "an unknown request_type is rejected", "SUB-3",
            {"request_type": "webhook", "input": FOX}, "request_type"),
    rejected(23, "a request_type in capitals is rejected", "SUB-3",
            {"request_type": "ASYNC", "input": FOX}, "request_type"),
    rejected(24, "a request_type that is not a string is rejected", "SUB-3",
            {"request_type": 1, "input": FOX}, "request_type"),
    rejected(38, "an empty request_type is rejected", "SUB-3",
            {"request_type": "", "input": FOX}, "request_type"),
    rejected(25, "a callback without callback_url is rejected", "SUB-4",
            {"request_type": "callback", "input": FOX}, "callback_url"),
    rejected(26, "an empty callback_url is rejected", "SUB-4",
            {"request_type": "callback", "callback_url": "", "input": FOX}, "callback_url"),
    rejected(27, "a callback_url of null is rejected", "SUB-4",
            {"request_type": "callback", "callback_url": None, "input": FOX}, "callback_url"),
    rejected(39, "a callback_url that is not a string is rejected", "SUB-4",
            {"request_type": "callback", "callback_url": 7, "input": FOX}, "callback_url"),
    accepted(30, "provider auto is accepted", "SUB-6", {"provider": "auto", "input": FOX}),
    accepted(31, "provider value is accepted", "SUB-6", {"provider": "value", "input": FOX}),
    accepted(32, "provider official is accepted", "SUB-6", {"provider": "official", "input": FOX}),
    rejected(33, "an unknown provider is rejected", "SUB-6",
            {"provider": "cheapest", "input": FOX}, "provider"),
    rejected(34, "a provider that is not a string is rejected", "SUB-6",
            {"provider": ["auto"], "input": FOX}, "provider"),
    rejected(92, "an empty provider is rejected", "SUB-6",
            {"provider": "", "input": FOX}, "provider"),
    rejected(93, "a provider in capitals is rejected", "SUB-6",
            {"provider": "AUTO", "input": FOX}, "provider"),
    accepted(94, "provider is optional", "SUB-6", {"input": FOX}),
    rejected(35, "a body without input is rejected", "SUB-7", {"provider": "auto"}, "input"),
    rejected(36, "an input that is a string is rejected", "SUB-7", {"input": "a fox"}, "input"),
    rejected(37, "an input that is null is rejected", "SUB-7", {"input": None}, "input"),
    rejected(95, "an input that is a list is rejected", "SUB-7", {"input": [FOX]}, "input"),
    rejected(96, "an empty input is rejected", "SUB-7", {"input": {}}, "input.prompt"),
    rejected(97, "members of input outside input are rejected", "SUB-7", FOX, "input"),
    Example(
        id="S-SUB-040", title="a submit for an unknown model is not found",
        clauses=("SUB-18",), path="/api/v1/generateTask/no-such-model", body={"input": FOX},
        status=404,
    ),
    accepted(41, "unknown members are ignored", "SUB-15",
          {"webhook": "https://example.com", "input": FOX | {"seed": 7, "quality": "high"}}),
    accepted(42, "nVariants and isEnhance of older pages are ignored", "SUB-16",
          {"input": FOX | {"nVariants": 3, "isEnhance": "yes"}}),
)  # fmt: skip


def _unique(probe: Probe) -> None:
    ids = [task_id_of(probe.submit()) for _ in range(3)]
    probe.check(
        "SUB-1",
        None not in ids and len(set(ids)) == len(ids),
        expected="three different task ids",
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
    task_id = probe.submit_task(nVariants=4, isEnhance=True)
    answer = probe.poll_until_final(task_id)
    probe.check(
        "SUB-16",
        len(result_urls(answer)) == 1,
        expected="one image: nVariants is ignored",
        seen=answer,
    )


CASES = (
    *example_cases(_ROWS),
    Case(
        id="S-SUB-009",
        title="task ids are unique",
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
        sends="the same body with six content types",
        expects="200 for JSON, also with parameters and in any letter case; 400 for others",
        run=_content_type,
        images=3,
        worst_images=6,
    ),
    Case(
        id="S-SUB-043",
        title="nVariants does not change the number of images",
        clauses=("SUB-16",),
        sends="a submit with nVariants 4",
        expects="one image",
        run=_older_names,
        images=1,
        worst_images=4,
    ),
)
