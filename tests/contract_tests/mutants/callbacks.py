"""CB: servers that call back wrongly."""

from dataclasses import replace
from typing import Any

import httpx
import msgspec

from contract_tests.contract.certificates import trusted_certificates
from mock_server.domain.ports import DeliveryResult
from mock_server.settings import Settings
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, answers
from tests.contract_tests.mutants.senders import (
    LOST,
    RECEIVED,
    AsText,
    AtOnceAgain,
    Following,
    NewTextAtEachTry,
    OneOfTwo,
    OneTryMore,
    OnlySuccess,
    Put,
    Signed,
    WithTheKey,
    believing,
    by_attempt,
    other_body,
    other_data,
)

_QUICK = Settings(clock="manual", seed=7, callback_timeout_ms=1000)


def _async_calls_back(asked: Asked) -> Asked:
    if not asked.is_submit or b"callback_url" not in asked.body:
        return asked
    body = msgspec.json.encode(asked.json | {"request_type": "callback"})
    return replace(asked, body=body)


async def _calls_back_for_async(asked: Asked, serve: Serve) -> Told:
    return await serve(_async_calls_back(asked))


async def _calls_back_at_the_submit(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    if asked.is_submit and told.status == 200 and asked.json.get("request_type") == "callback":
        data = {"taskId": told.json["data"]["taskId"], "state": "pending", "createTime": 0}
        async with httpx.AsyncClient(verify=trusted_certificates(), timeout=1) as http:
            body = {"code": 200, "message": "success", "data": data}
            await http.post(asked.json["callback_url"], json=body)
    return told


def _no_polling() -> Break:
    called: set[str] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit and told.status == 200:
            if b'"callback"' in asked.body:
                called.add(told.json["data"]["taskId"])
        elif asked.is_status and told.status == 200 and told.json["data"]["taskId"] in called:
            return told.with_status(404)
        return told

    return broken


def _polled_only_until_the_end(asked: Asked, told: Told) -> Told:
    is_over = asked.is_status and told.status == 200 and "completeTime" in told.json["data"]
    return told.with_status(404) if is_over else told


def _without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _as_object(data: dict[str, Any]) -> dict[str, Any]:
    if "resultJson" not in data:
        return data
    return data | {"resultJson": msgspec.json.decode(data["resultJson"])}


MUTANTS = (
    Mutant(
        name="no-callback-is-ever-sent",
        clause="CB-1",
        sender=by_attempt(lambda _, __: RECEIVED),
    ),
    Mutant(name="no-callback-for-a-failure", clause="CB-1", sender=OnlySuccess),
    Mutant(
        name="a-callback-is-the-data-without-the-envelope",
        clause="CB-1",
        sender=other_body(lambda envelope: envelope["data"]),
    ),
    Mutant(
        name="resultjson-is-an-object-in-callbacks", clause="CB-1", sender=other_data(_as_object)
    ),
    Mutant(
        name="no-times-in-callbacks",
        clause="CB-1",
        sender=other_data(lambda data: _without(data, "completeTime", "costTime")),
    ),
    Mutant(
        name="an-event-member-more-in-callbacks",
        clause="CB-1",
        sender=other_body(lambda envelope: envelope | {"event": "task.completed"}),
    ),
    Mutant(
        name="callbacks-of-failures-have-code-500",
        clause="CB-1",
        sender=other_body(
            lambda envelope: (
                envelope | {"code": 500} if envelope["data"]["state"] == "failed" else envelope
            )
        ),
    ),
    Mutant(name="callbacks-by-put", clause="CB-1", sender=Put),
    Mutant(name="callbacks-as-text-plain", clause="CB-1", sender=AsText),
    Mutant(name="a-callback-for-async-tasks", clause="CB-1", make=lambda: _calls_back_for_async),
    Mutant(name="a-callback-at-the-submit", clause="CB-1", make=lambda: _calls_back_at_the_submit),
    Mutant(
        name="any-2xx-is-a-receipt",
        clause="CB-2",
        sender=believing(lambda sent: sent.status is not None and 200 <= sent.status < 300),
        settings=_QUICK,
    ),
    Mutant(
        name="a-4xx-is-not-tried-again",
        clause="CB-2",
        sender=believing(lambda sent: sent.status is not None and 400 <= sent.status < 500),
        settings=_QUICK,
    ),
    Mutant(
        name="only-a-lost-connection-is-tried-again",
        clause="CB-2",
        sender=believing(lambda sent: sent.status is not None),
        settings=_QUICK,
    ),
    Mutant(
        name="a-slow-receiver-has-received",
        clause="CB-2",
        sender=believing(lambda sent: sent.status is None),
        settings=_QUICK,
    ),
    Mutant(name="redirects-are-followed", clause="CB-2", sender=Following, settings=_QUICK),
    Mutant(
        name="a-callback-is-never-retried",
        clause="CB-3",
        sender=by_attempt(lambda number, _: RECEIVED if number > 1 else None),
    ),
    Mutant(
        name="a-callback-is-tried-3-times-in-all",
        clause="CB-3",
        sender=by_attempt(lambda number, _: LOST if number > 3 else None),
    ),
    Mutant(name="a-callback-is-tried-5-times-in-all", clause="CB-3", sender=OneTryMore),
    Mutant(name="the-first-retry-comes-at-once", clause="CB-3", sender=AtOnceAgain),
    Mutant(
        name="the-first-retry-comes-after-150-s",
        clause="CB-3",
        sender=by_attempt(lambda number, _: LOST if number == 2 else None),
    ),
    Mutant(
        name="a-callback-is-sent-again-though-it-was-received",
        clause="CB-3",
        sender=by_attempt(lambda _, sent: None if sent is None else DeliveryResult(status=500)),
    ),
    Mutant(name="each-second-callback-is-lost", clause="CB-4", sender=OneOfTwo),
    Mutant(name="each-try-says-something-else", clause="CB-4", sender=NewTextAtEachTry),
    Mutant(name="a-callback-task-cannot-be-polled", clause="CB-5", make=_no_polling),
    Mutant(
        name="a-callback-task-is-gone-after-its-callback",
        clause="CB-5",
        make=answers(_polled_only_until_the_end),
    ),
    Mutant(name="callbacks-are-signed", clause="CB-6", sender=Signed),
    Mutant(name="callbacks-carry-a-key", clause="CB-6", sender=WithTheKey),
)
