"""Mutants of STA."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.contract_tests.mutants.harness import (
    Asked,
    Break,
    Mutant,
    Serve,
    Told,
    answers,
    requests,
    status_data,
)
from tests.contract_tests.mutants.steering import now_ms, refusal

Data = dict[str, Any]


def _at(state: str, change: Callable[[Data], Data]) -> Callable[[], Break]:
    return status_data(lambda data: change(data) if data["state"] == state else data)


def _without(*names: str) -> Callable[[Data], Data]:
    return lambda data: {name: data[name] for name in data if name not in names}


def _urls(change: Callable[[list[str]], list[str]]) -> Callable[[Data], Data]:
    def changed(data: Data) -> Data:
        urls = json.loads(data["resultJson"])["resultUrls"]
        return data | {"resultJson": json.dumps({"resultUrls": change(urls)})}

    return changed


def _missing_id(status: int) -> Callable[[Asked, Told], Told]:
    def changed(asked: Asked, told: Told) -> Told:
        is_missing = asked.is_status and told.status == 400
        return refusal(status, "Not found", "taskId") if is_missing else told

    return changed


def _empty_id(asked: Asked, told: Told) -> Told:
    is_empty = asked.is_status and asked.query == b"taskId=" and told.status == 400
    return refusal(404, "Not found", "no task") if is_empty else told


def _unknown_is_pending(asked: Asked, told: Told) -> Told:
    if not asked.is_status or told.status != 404 or b"gpt-image-1" not in asked.path.encode():
        return told
    data = {"taskId": "task_0", "state": "pending", "createTime": 1}
    return Told(
        status=200,
        headers=told.headers,
        body=json.dumps({"code": 200, "message": "success", "data": data}).encode(),
    )


def _goes_back() -> Break:
    polls: dict[bytes, int] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if not asked.is_status or told.status != 200:
            return told
        polls[asked.query] = polls.get(asked.query, 0) + 1
        data = told.json["data"]
        if data["state"] == "processing" and polls[asked.query] % 4 == 0:
            return told.with_json(told.json | {"data": data | {"state": "pending"}})
        return told

    return broken


def _restless_end() -> Break:
    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if not asked.is_status or told.status != 200 or "completeTime" not in told.json["data"]:
            return told
        data = told.json["data"] | {"completeTime": await now_ms(asked, serve)}
        return told.with_json(told.json | {"data": data})

    return broken


def _end_forgotten() -> Break:
    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if not asked.is_status or told.status != 200 or "completeTime" not in told.json["data"]:
            return told
        age_ms = await now_ms(asked, serve) - told.json["data"]["completeTime"]
        return refusal(404, "Task not found", "gone") if age_ms > 3_600_000 else told

    return broken


def _empty_after_expiry() -> Break:
    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if not asked.is_status or told.status != 200 or "resultJson" not in told.json["data"]:
            return told
        data = told.json["data"]
        age_ms = await now_ms(asked, serve) - data["completeTime"]
        if age_ms < 15 * 86_400_000:
            return told
        return told.with_json(told.json | {"data": data | {"resultJson": '{"resultUrls": []}'}})

    return broken


def _wavers_at_the_end() -> Break:
    seen: set[bytes] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if not asked.is_status or told.status != 200 or "completeTime" not in told.json["data"]:
            return told
        if asked.query in seen:
            return told
        seen.add(asked.query)
        code = {"failCode": "GENERATION_FAILED", "failMsg": "a moment"}
        kept = {name: value for name, value in told.json["data"].items() if name != "resultJson"}
        return told.with_json(told.json | {"data": kept | {"state": "failed"} | code})

    return broken


def _unknown_id(status: int) -> Callable[[Asked, Told], Told]:
    def changed(asked: Asked, told: Told) -> Told:
        is_unknown = asked.is_status and told.status == 404
        return refusal(status, "Task not found", "no such task") if is_unknown else told

    return changed


def _unnamed(asked: Asked, told: Told) -> Told:
    is_refused = asked.is_status and told.status == 400
    return refusal(400, "Bad request", "something is missing") if is_refused else told


def _another_model(asked: Asked) -> Asked:
    path = asked.path.replace("/nano-banana", "/gpt-image-1")
    return replace(asked, path=path) if asked.is_status else asked


def _any_model(asked: Asked) -> Asked:
    return replace(asked, path="/api/v1/statusTask/gpt-image-1") if asked.is_status else asked


def _seconds(*names: str) -> Callable[[Data], Data]:
    return lambda data: data | {name: data[name] // 1000 for name in names if name in data}


MUTANTS = (
    Mutant(name="404-without-task-id", clause="STA-1", make=answers(_missing_id(404))),
    Mutant(name="404-for-an-empty-task-id", clause="STA-1", make=answers(_empty_id)),
    Mutant(name="the-missing-task-id-is-not-named", clause="STA-1", make=answers(_unnamed)),
    Mutant(name="unknown-tasks-are-pending", clause="STA-2", make=answers(_unknown_is_pending)),
    Mutant(name="400-for-unknown-tasks", clause="STA-2", make=answers(_unknown_id(400))),
    Mutant(name="no-create-time-at-first", clause="STA-3",
           make=_at("pending", _without("createTime"))),
    Mutant(name="no-task-id-at-the-end", clause="STA-3", make=_at("success", _without("taskId"))),
    Mutant(name="another-task-id", clause="STA-3",
           make=status_data(lambda data: data | {"taskId": data["taskId"].upper()})),
    Mutant(name="create-time-is-a-text", clause="STA-3",
           make=status_data(lambda data: data | {"createTime": str(data["createTime"])})),
    Mutant(name="running-for-processing", clause="STA-4",
           make=_at("processing", lambda data: data | {"state": "running"})),
    Mutant(name="states-in-capitals", clause="STA-4",
           make=status_data(lambda data: data | {"state": data["state"].upper()})),
    Mutant(name="a-state-goes-back", clause="STA-5", make=_goes_back),
    Mutant(name="the-end-moves", clause="STA-5", make=_restless_end),
    Mutant(name="ended-tasks-are-forgotten", clause="STA-5", make=_end_forgotten),
    Mutant(name="results-vanish-from-the-end", clause="STA-5", make=_empty_after_expiry),
    Mutant(name="failed-at-first-then-not", clause="STA-5", make=_wavers_at_the_end),
    Mutant(name="result-is-an-object", clause="STA-6",
           make=_at("success", lambda d: d | {"resultJson": json.loads(d["resultJson"])})),
    Mutant(name="result-null-before-the-end", clause="STA-6",
           make=_at("processing", lambda data: data | {"resultJson": None})),
    Mutant(name="result-urls-bare", clause="STA-6",
           make=_at("success", lambda d: d | {"resultJson": json.dumps(
               json.loads(d["resultJson"])["resultUrls"])})),
    Mutant(name="result-encoded-twice", clause="STA-6",
           make=_at("success", lambda d: d | {"resultJson": json.dumps(d["resultJson"])})),
    Mutant(name="results-without-a-scheme", clause="STA-6",
           make=_at("success", _urls(lambda urls: [url.partition(":")[2] for url in urls]))),
    Mutant(name="a-result-of-failed-tasks", clause="STA-6",
           make=_at("failed", lambda data: data | {"resultJson": '{"resultUrls": []}'})),
    Mutant(name="one-picture-too-few", clause="STA-7",
           make=_at("success", _urls(lambda urls: urls[:-1] or urls))),
    Mutant(name="one-picture-too-many", clause="STA-7",
           make=_at("success", _urls(lambda urls: [*urls, f"{urls[0]}?again"]))),
    Mutant(name="the-same-picture-twice", clause="STA-7",
           make=_at("success", _urls(lambda urls: [urls[0]] * len(urls)))),
    Mutant(name="fail-code-at-success", clause="STA-8",
           make=_at("success", lambda data: data | {"failCode": None})),
    Mutant(name="no-fail-message", clause="STA-8", make=_at("failed", _without("failMsg"))),
    Mutant(name="fail-code-empty-before-the-end", clause="STA-8",
           make=_at("pending", lambda data: data | {"failCode": ""})),
    Mutant(name="times-in-seconds", clause="STA-9",
           make=status_data(_seconds("createTime", "completeTime"))),
    Mutant(name="complete-time-in-seconds", clause="STA-9",
           make=status_data(_seconds("completeTime"))),
    Mutant(name="times-in-microseconds", clause="STA-9",
           make=status_data(lambda data: data | {
               name: data[name] * 1000
               for name in ("createTime", "completeTime") if name in data})),
    Mutant(name="times-in-another-zone", clause="STA-9",
           make=status_data(lambda data: data | {
               name: data[name] + 3_600_000
               for name in ("createTime", "completeTime") if name in data})),
    Mutant(name="no-cost-time-of-failed-tasks", clause="STA-9",
           make=_at("failed", _without("costTime"))),
    Mutant(name="complete-time-null-before-the-end", clause="STA-9",
           make=_at("processing", lambda data: data | {"completeTime": None})),
    Mutant(name="cost-time-in-seconds", clause="STA-10", make=status_data(_seconds("costTime"))),
    Mutant(name="cost-time-too-long", clause="STA-10",
           make=_at("success", lambda data: data | {"costTime": data["costTime"] + 60_000})),
    Mutant(name="cost-time-negative", clause="STA-10",
           make=_at("failed", lambda data: data | {"costTime": -1})),
    Mutant(name="cost-time-always-zero", clause="STA-10",
           make=_at("success", lambda data: data | {"costTime": 0})),
    Mutant(name="tasks-on-any-model", clause="STA-11", make=requests(_any_model)),
    Mutant(name="tasks-on-one-other-model", clause="STA-11", make=requests(_another_model)),
)  # fmt: skip
