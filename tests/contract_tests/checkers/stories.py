"""One true history of the mock, and ways to break it: each break must be found by a checker."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.cases.callbacks.tasks import callback_body
from contract_tests.server.checkers import check_trace
from contract_tests.server.events import (
    Deliveries,
    Delivery,
    Event,
    HttpExchange,
    Request,
    Response,
)
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls
from contract_tests.server.target import Target

UNREACHABLE = ["https://images.invalid/fox.png"]
DAY_S = 86_400.0

Events = tuple[Event, ...]
Break = Callable[[Events], Events]


def story(probe: Probe) -> None:
    """Do everything that the checkers judge, with two keys, in virtual time."""
    probe.change_settings(generation_time=30, rate_limit=60, max_concurrent=4, strict=False)
    probe.send("GET", BALANCE)
    probe.send("GET", BALANCE, key="none")
    plain = probe.submit_task(num_images=2, aspect_ratio="3:2")
    failing = probe.submit_task(num_images=4, image_urls=UNREACHABLE, provider="value")
    probe.script_receiver("kept", (500, 0.0), (200, 0.0))
    calling = probe.submit_task(callback_body("kept", num_images=1, aspect_ratio="2:3"))
    asynchronous = probe.submit_task(callback_body("quiet") | {"request_type": "async"})
    probe.submit()
    probe.submit(num_images=3)
    theirs = probe.submit_task({"input": {"mode": "gpt-image-1", "prompt": "a hare"}}, key="other")
    for task_id in (plain, failing, calling, asynchronous):
        probe.read_status(task_id)
        probe.read_status(task_id, key="other")
    probe.read_status("task_of_nobody")
    probe.send("GET", STATUS)
    probe.send("GET", BALANCE)
    for _ in range(3):
        probe.pass_time(3.0)
        probe.read_status(plain)
    finals = [probe.poll_until_final(each) for each in (plain, failing, calling, asynchronous)]
    probe.await_deliveries("kept", 1)
    probe.pass_time(40)
    probe.await_deliveries("kept", 2)
    probe.send("GET", BALANCE)
    probe.send("GET", BALANCE, key="other")
    violating = probe.submit_task(prompt="a scene of gore")
    probe.poll_until_final(violating)
    probe.send("GET", BALANCE)
    probe.control("POST", "clock/advance", {"seconds": 300}, key="other")
    probe.read_status(theirs, key="other")
    probe.send("GET", BALANCE, key="other")
    urls = [url for final in finals for url in result_urls(final)]
    for url in urls:
        probe.send("GET", url, key="none")
    probe.pass_time(10 * DAY_S)
    for each in (plain, failing, calling):
        probe.read_status(each)
    probe.send("GET", urls[1], key="none")
    probe.pass_time(10 * DAY_S)
    probe.read_status(calling)
    probe.send("GET", urls[0], key="none")
    for _ in range(62):
        probe.send("GET", BALANCE)
    probe.deliveries("quiet", 1, within_s=0)


def clauses_found(events: Events, target: Target) -> set[str]:
    return {finding.clause for finding in check_trace(events, target)}


def is_submit(request: Request, _: Response) -> bool:
    return request.path == GENERATE


def is_accepted(request: Request, response: Response) -> bool:
    return is_submit(request, response) and response.status == 200


def is_unknown_task(request: Request, _: Response) -> bool:
    return ("taskId", "task_of_nobody") in request.query


def is_status(request: Request, response: Response) -> bool:
    return request.path == STATUS and response.status == 200


def is_balance(request: Request, response: Response) -> bool:
    return request.path == BALANCE and response.status == 200


def is_balance_of_the_other(request: Request, response: Response) -> bool:
    return is_balance(request, response) and request.key == "other"


def is_download(request: Request, _: Response) -> bool:
    return "://" in request.path


def answered(status: int) -> Callable[[Request, Response], bool]:
    return lambda request, response: response.status == status and "/_mock" not in request.path


def in_state(*states: str) -> Callable[[Request, Response], bool]:
    def is_seen(request: Request, response: Response) -> bool:
        return is_status(request, response) and response.json()["data"]["state"] in states

    return is_seen


def answers(
    is_meant: Callable[[Request, Response], bool],
    change: Callable[[Response], Response],
    nth: int = 0,
) -> Break:
    """Change the nth response that is meant, counted from the end if negative."""

    def broken(events: Events) -> Events:
        meant = [
            number
            for number, event in enumerate(events)
            if isinstance(event, HttpExchange) and is_meant(event.request, event.response)
        ]
        number = meant[nth]
        event = events[number]
        assert isinstance(event, HttpExchange)
        changed = msgspec.structs.replace(event, response=change(event.response))
        assert changed != event
        return (*events[:number], changed, *events[number + 1 :])

    return broken


def every(
    is_meant: Callable[[Request, Response], bool], change: Callable[[Response], Response]
) -> Break:
    """Change all responses that are meant."""

    def broken(events: Events) -> Events:
        return tuple(
            msgspec.structs.replace(event, response=change(event.response))
            if isinstance(event, HttpExchange) and is_meant(event.request, event.response)
            else event
            for event in events
        )

    return broken


def copies(
    is_meant: Callable[[Request, Response], bool],
    nth: int,
    is_source: Callable[[Request, Response], bool],
    source: int,
) -> Break:
    """Answer one request as another one was answered."""

    def broken(events: Events) -> Events:
        sources = [
            event.response
            for event in events
            if isinstance(event, HttpExchange) and is_source(event.request, event.response)
        ]
        return answers(is_meant, lambda _: sources[source], nth)(events)

    return broken


def without(name: str, nth: int) -> Break:
    """Remove the callback with this number and all after it, wherever they are shown."""

    def broken(events: Events) -> Events:
        cut = deliveries(name, lambda came: came[:nth])(events)
        extra = Delivery(method="POST", headers=(), body=b"{}", answered=200)
        # Another callback proves that the receiver can be reached.
        return cut if nth else (*cut, Deliveries(name="other", deliveries=(extra,)))

    return broken


def plus(dollars: float) -> Callable[[Response], Response]:
    """Change the balance."""
    return lambda response: with_json(
        response, {**response.json(), "data": round(response.json()["data"] + dollars, 6)}
    )


def accepted(response: Response) -> Response:
    envelope = {"code": 200, "message": "success", "data": {"taskId": "task_of_its_own"}}
    return msgspec.structs.replace(with_json(response, envelope), status=200)


def without_credit(response: Response) -> Response:
    changed = with_json(response, {"code": 400, "message": "Insufficient credits", "data": None})
    return msgspec.structs.replace(changed, status=400)


def urls(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    """Change the result URLs in `resultJson`."""
    return lambda written: json.dumps({"resultUrls": change(json.loads(written)["resultUrls"])})


def data(**members: Any) -> Callable[[Response], Response]:
    """Set members of `data`; None removes one."""

    def change(response: Response) -> Response:
        envelope = response.json()
        given = {
            name: value(envelope["data"].get(name)) if callable(value) else value
            for name, value in members.items()
        }
        merged = {**envelope["data"], **given}
        envelope["data"] = {name: value for name, value in merged.items() if value is not None}
        return with_json(response, envelope)

    return change


def envelope(**members: Any) -> Callable[[Response], Response]:
    """Set members of the envelope."""
    return lambda response: with_json(response, {**response.json(), **members})


def status(code: int) -> Callable[[Response], Response]:
    """Change the status, and the envelope with it."""
    return lambda response: msgspec.structs.replace(
        with_json(response, {"code": code, "message": "no", "data": None}), status=code
    )


def header(name: str, value: str | None) -> Callable[[Response], Response]:
    def change(response: Response) -> Response:
        kept = [each for each in response.headers if each[0].lower() != name.lower()]
        added = [] if value is None else [(name, value)]
        return msgspec.structs.replace(response, headers=(*kept, *added))

    return change


def body(change: Callable[[bytes], bytes]) -> Callable[[Response], Response]:
    return lambda response: msgspec.structs.replace(response, body=change(response.body))


def with_json(response: Response, value: Any) -> Response:
    return msgspec.structs.replace(response, body=json.dumps(value).encode())


def deliveries(name: str, change: Callable[[tuple[Delivery, ...]], tuple[Delivery, ...]]) -> Break:
    """Change the callbacks at a name, in every event that shows them."""

    def broken(events: Events) -> Events:
        return tuple(
            msgspec.structs.replace(event, deliveries=change(event.deliveries))
            if isinstance(event, Deliveries) and event.name == name
            else event
            for event in events
        )

    return broken
