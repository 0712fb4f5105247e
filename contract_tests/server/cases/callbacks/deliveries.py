"""CB-1, CB-5, CB-6: the content of callbacks, and tasks without a callback."""

import re
from collections.abc import Mapping
from typing import Any

from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.callbacks.tasks import (
    STILL_S,
    accept_any_receiver,
    callback_body,
    missing,
)
from contract_tests.server.events import Delivery
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.progress import Progress, generation_max_s
from contract_tests.server.reading import canonical, has_ended, state_of

_FAILING = {"image_urls": ["https://images.invalid/fox.png"]}
_STEP_S = 3.0
_SIGNED = re.compile(r"signature|hmac|digest|authorization|token|api-?key|^x-hub-|^svix-|^webhook-")


def _success(probe: Probe) -> None:
    _one_task(probe, "success", {})


def _failure(probe: Probe) -> None:
    _one_task(probe, "failed", _FAILING)


def _one_task(probe: Probe, end: str, given: Mapping[str, Any]) -> None:
    accept_any_receiver(probe)
    task_id = probe.submit_task(callback_body("end", **given))
    final = _watched(probe, task_id)
    if final is None:
        return
    if state_of(final) != end:
        raise PreconditionNotMet(f"the task did not end as {end}: {final.shown}")
    received = probe.await_deliveries("end", 1)
    if not received:
        missing(probe, "CB-1", f"a callback when the task has ended as {end}")
        return
    for delivery in received:
        _judge(probe, delivery, final)
    probe.check(
        "CB-5",
        holds=True,
        expected="a callback task can be polled until it is final",
        seen=final,
    )


def _watched(probe: Probe, task_id: str) -> Answer | None:
    """Poll until the task is final and return that response; None after a failed finding."""
    progress, waited_s = Progress(probe), 0.0
    while True:
        received = probe.deliveries("end", 1, within_s=0)
        answer = probe.read_status(task_id)
        is_early = bool(received) and state_of(answer) is not None and not has_ended(answer)
        probe.check(
            "CB-1",
            not is_early,
            expected="no callback before the task has ended",
            seen=f"{len(received)} callbacks, and then {answer.shown}",
            at=answer,
        )
        if state_of(answer) is None:
            expected = "a callback task can be polled: HTTP 200 with a state"
            probe.check("CB-5", holds=False, expected=expected, seen=answer)
        if is_early or state_of(answer) is None:
            return None
        if has_ended(answer):
            return answer
        progress.see(answer)
        if waited_s >= generation_max_s(probe.target):
            raise PreconditionNotMet(progress.give_up())
        probe.pass_time(_STEP_S)
        waited_s += _STEP_S


def _judge(probe: Probe, delivery: Delivery, final: Answer) -> None:
    headers = {name.lower(): value for name, value in delivery.headers}
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    probe.check(
        "CB-1",
        delivery.method == "POST" and media_type == "application/json",
        expected="a POST with Content-Type: application/json",
        seen=f"{delivery.method}, {headers.get('content-type')}",
    )
    probe.check(
        "CB-1",
        canonical(delivery.body) == canonical(final.response.body) is not None,
        expected=f"the same body as the status response: {_text(final.response.body)}",
        seen=_text(delivery.body),
    )
    signed = sorted(name for name in headers if _SIGNED.search(name))
    probe.check(
        "CB-6",
        not signed,
        expected="no header with a signature or a secret",
        seen=f"headers: {', '.join(signed or headers)}",
    )


def _none_for_async(probe: Probe) -> None:
    accept_any_receiver(probe)
    bodies = {
        "callback": callback_body("callback"),
        "async": callback_body("async") | {"request_type": "async"},
        "default": {
            name: value
            for name, value in callback_body("default").items()
            if name != "request_type"
        },
    }
    tasks = [probe.submit_task(body) for body in bodies.values()]
    for task_id in tasks:
        probe.poll_until_final(task_id)
    if not probe.await_deliveries("callback", 1):
        missing(probe, "CB-1", "a callback for the task with request_type callback")
        return
    for name in ("async", "default"):
        received = probe.deliveries(name, 1, within_s=STILL_S)
        probe.check(
            "CB-1",
            not received,
            expected=f"no callback with request_type {name}, although callback_url is given",
            seen=f"{len(received)} callbacks",
        )


def _text(body: bytes) -> str:
    return body[:1000].decode("utf-8", "replace")


CASES = (
    Case(
        id="S-CB-001",
        title="a callback reports a success like a status request",
        clauses=("CB-1", "CB-5", "CB-6"),
        sends="a callback task, and status requests until it has ended",
        expects="one POST with the final status envelope, after the end, without a signature",
        run=_success,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
        is_smoke=True,
    ),
    Case(
        id="S-CB-002",
        title="a callback reports a failure like a status request",
        clauses=("CB-1", "CB-5", "CB-6"),
        sends="a callback task with a reference image that cannot be reached, and status requests",
        expects="one POST with the final status envelope, after the end, without a signature",
        run=_failure,
        worst_images=1,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
    ),
    Case(
        id="S-CB-003",
        title="async tasks get no callback",
        clauses=("CB-1",),
        sends="tasks with request_type callback, async and none, each with callback_url",
        expects="a callback for the first task only",
        run=_none_for_async,
        images=3,
        worst_images=3,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
    ),
)
