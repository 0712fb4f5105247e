"""SUB: the body of a submit as a whole, callbacks, routing, other models, credit."""

from typing import Any

from contract_tests.case import Case
from contract_tests.cases.reading import task_id_of
from contract_tests.examples import Row, cases_of, differences, error_text
from contract_tests.probe import GENERATE, Probe, Skipped
from contract_tests.world import RECEIVER

FOX: dict[str, Any] = {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}
ACCEPTED = {"data": {"taskId": str}}
_JSON = {"Content-Type": "application/json"}
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
    taken(20, "request_type async is taken", "SUB-3", _WHOLE),
    taken(21, "request_type may be left out", "SUB-3", {"input": FOX}),
    refused(22, "an unknown request_type is refused", "SUB-3",
            {"request_type": "webhook", "input": FOX}, "request_type"),
    refused(23, "a request_type in capitals is refused", "SUB-3",
            {"request_type": "ASYNC", "input": FOX}, "request_type"),
    refused(24, "a request_type that is no text is refused", "SUB-3",
            {"request_type": 1, "input": FOX}, "request_type"),
    refused(25, "a callback without an address is refused", "SUB-4",
            {"request_type": "callback", "input": FOX}, "callback_url"),
    refused(26, "a callback to an empty address is refused", "SUB-4",
            {"request_type": "callback", "callback_url": "", "input": FOX}, "callback_url"),
    refused(27, "a callback to no address is refused", "SUB-4",
            {"request_type": "callback", "callback_url": None, "input": FOX}, "callback_url"),
    taken(30, "provider auto is taken", "SUB-6", {"provider": "auto", "input": FOX}),
    taken(31, "provider value is taken", "SUB-6", {"provider": "value", "input": FOX}),
    taken(32, "provider official is taken", "SUB-6", {"provider": "official", "input": FOX}),
    refused(33, "an unknown provider is refused", "SUB-6",
            {"provider": "cheapest", "input": FOX}, "provider"),
    refused(34, "a provider that is no text is refused", "SUB-6",
            {"provider": ["auto"], "input": FOX}, "provider"),
    refused(35, "a body without input is refused", "SUB-7", {"provider": "auto"}, "input"),
    refused(36, "an input that is no object is refused", "SUB-7", {"input": "a fox"}, "input"),
    refused(37, "an input that is null is refused", "SUB-7", {"input": None}, "input"),
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
    body = b'{"input":{"mode":"gpt-image-1","prompt":"a red fox in the snow"}}'
    for kind, status in (
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
    ):
        answer = probe.send("POST", GENERATE, content=body, headers={"Content-Type": kind})
        probe.check(
            "SUB-2", answer.status == status, expected=f"HTTP {status} for {kind}", seen=answer
        )


def _older_names(probe: Probe) -> None:
    task_id = probe.task(nVariants=4, isEnhance=True)
    answer = probe.ended(task_id)
    data = answer.data if isinstance(answer.data, dict) else {}
    probe.check(
        "SUB-16",
        str(data.get("resultJson")).count("http") == 1,
        expected="one picture: nVariants does not count",
        seen=answer,
    )


def _callback_addresses(probe: Probe) -> None:
    body = {"request_type": "callback", "input": FOX}
    for is_strict, address, status in (
        (False, f"{RECEIVER}/hook", 200),
        (True, f"{RECEIVER}/hook", 400),
        (True, "https://127.0.0.1/hook", 400),
        (True, "https://10.0.0.1/hook", 400),
        (True, "ftp://example.com/hook", 400),
        (True, "https://hooks.example.com/apixo", 200),
    ):
        probe.change(strict=is_strict)
        answer = probe.submit(body | {"callback_url": address})
        names = status == 200 or "callback_url" in error_text(answer)
        probe.check(
            "SUB-5",
            answer.status == status and names,
            expected=f"HTTP {status} for {address} where strict is {is_strict}",
            seen=answer,
        )
        if status == 200 and (task_id := task_id_of(answer)):
            probe.control("POST", f"tasks/{task_id}/finish", {"state": "success"})
            break_off = is_strict
            if break_off:
                return


def _credit(probe: Probe) -> None:
    settings = probe.target.settings or {}
    for status in (settings.get("insufficient_credits_status", 400), 400, 402):
        probe.change(balance=0, insufficient_credits_status=status)
        answer = probe.submit()
        problems = list(differences({"code": status, "message": str}, answer.json))
        probe.check(
            "SUB-17",
            answer.status == status
            and not problems
            and "insufficient credits" in error_text(answer).lower(),
            expected=f"HTTP {status} Insufficient credits, as configured",
            seen=answer,
        )


def _last_credit(probe: Probe) -> None:
    price = _price(probe)
    probe.change(balance=price * 2)
    enough = probe.submit(num_images=2)
    nothing_left = probe.submit()
    probe.check(
        "SUB-17",
        enough.status == 200 and nothing_left.status in {400, 402},
        expected="two pictures are bought with the credit for two, a third is refused",
        seen=nothing_left,
    )


def _price(probe: Probe) -> float:
    price = (probe.target.info or {}).get("price")
    if not isinstance(price, int | float):
        raise Skipped("the price is not known")
    return float(price)


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
        sends="the same body under four content types",
        expects="200 for JSON, with parameters too; 400 for others",
        run=_content_type,
        images=2,
        worst_images=4,
    ),
    Case(
        id="S-SUB-028",
        title="strict callback addresses are public HTTPS addresses",
        clauses=("SUB-5",),
        sends="callback submits to loopback, private, other schemes and a public HTTPS address",
        expects="400 naming callback_url for all but the last, where strict; 200 else",
        run=_callback_addresses,
        needs_control=True,
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
    Case(
        id="S-SUB-044",
        title="an account without credit is told so",
        clauses=("SUB-17",),
        sends="submits with a balance of 0",
        expects="400 or 402 Insufficient credits, as configured",
        run=_credit,
        needs_control=True,
        provokes=(402,),
    ),
    Case(
        id="S-SUB-045",
        title="credit is used up to the last cent and no further",
        clauses=("SUB-17",),
        sends="submits for two pictures and one, with the credit for two",
        expects="the first is taken, the second refused",
        run=_last_credit,
        needs_control=True,
        provokes=(402,),
    ),
)
