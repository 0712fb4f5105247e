"""Alterations of the members of status answers and callbacks."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.contract_tests.mutants.engine.alterations import Alteration, Data
from tests.contract_tests.mutants.engine.occasions import Occasion, urls_of

_ENDS = frozenset({"success", "failed"})
_ALL = _ENDS | {"begin"}
_EVERY_CONTEXT = frozenset({"always", "task", "end", "channel", "polls", "age", "key"})
_TIMES = ("createTime", "completeTime", "costTime")
_NAMES = {
    "taskId": "task-id", "state": "state", "createTime": "create-time",
    "completeTime": "complete-time", "costTime": "cost-time", "resultJson": "result-json",
    "failCode": "fail-code", "failMsg": "fail-message",
}  # fmt: skip
_CLAUSES = {
    "taskId": "STA-3", "state": "STA-3", "createTime": "STA-3", "completeTime": "STA-9",
    "costTime": "STA-9", "resultJson": "STA-6", "failCode": "STA-8", "failMsg": "STA-8",
}  # fmt: skip
_AT = {
    "taskId": _ALL, "state": _ALL, "createTime": _ALL, "completeTime": _ENDS, "costTime": _ENDS,
    "resultJson": frozenset({"success"}), "failCode": frozenset({"failed"}),
    "failMsg": frozenset({"failed"}),
}  # fmt: skip
_ALSO = {
    "createTime": frozenset({"STA-9"}), "state": frozenset({"STA-4"}),
    "costTime": frozenset({"STA-10"}), "failCode": frozenset({"FAIL-1", "FAIL-2"}),
    "completeTime": frozenset({"STA-10"}), "resultJson": frozenset({"STA-7"}),
}  # fmt: skip


def _member(
    operator: str,
    member: str,
    change: Callable[[Any, Data, Occasion], Any],
    *,
    clause: str = "",
    when: frozenset[str] | None = None,
    also: frozenset[str] = frozenset(),
    needs_control: bool = False,
) -> Alteration:
    """Change one member where it is present."""

    def changed(data: Data, occasion: Occasion) -> Data:
        if member not in data or _state_kind(data) not in at:
            return data
        return data | {member: change(data[member], data, occasion)}

    at = when or _AT[member]
    return Alteration(
        operator=operator,
        place=_NAMES[member],
        clause=clause or _CLAUSES[member],
        when=at,
        also=also | _ALSO.get(member, frozenset()) | {_CLAUSES[member]},
        about=_EVERY_CONTEXT,
        data=changed,
        needs_control=needs_control,
    )


def _drop(member: str) -> Alteration:
    def changed(data: Data, _: Occasion) -> Data:
        return {name: value for name, value in data.items() if name != member}

    return Alteration(
        operator="drop", place=_NAMES[member], clause=_CLAUSES[member], when=_AT[member],
        also=_ALSO.get(member, frozenset()), about=_EVERY_CONTEXT, data=changed,
    )  # fmt: skip


def _early(member: str, value: Any, state: str, clause: str) -> Alteration:
    """Tell a member in a state that has none."""
    return Alteration(
        operator="early" if state == "begin" else "misplace",
        place=_NAMES[member],
        clause=clause,
        when=frozenset({state}),
        about=_EVERY_CONTEXT,
        data=lambda data, _: (
            {**data, member: value} if _state_kind(data) == state and member not in data else data
        ),
    )


def _urls(
    operator: str,
    place: str,
    change: Callable[[list[str], Occasion], Sequence[object]],
    clause: str,
    *also: str,
) -> Alteration:
    def changed(data: Data, occasion: Occasion) -> Data:
        urls = urls_of(data)
        if not urls:
            return data
        told = list(change(urls, occasion))
        return data if told == urls else data | {"resultJson": json.dumps({"resultUrls": told})}

    return Alteration(
        operator=operator, place=place, clause=clause, when=frozenset({"success"}),
        also=frozenset(also), about=_EVERY_CONTEXT, data=changed,
    )  # fmt: skip


def _result(operator: str, change: Callable[[str], object], clause: str = "STA-6") -> Alteration:
    return _member(operator, "resultJson", lambda value, _, __: change(value), clause=clause)


def _state_kind(data: Data) -> str:
    return str(data["state"]) if data["state"] in _ENDS else "begin"


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _others_id(value: str, _: Data, occasion: Occasion) -> str:
    """Return the id of another task, the oldest one."""
    return next((each for each in occasion.memory.tasks if each != value), value)


def _others_urls(urls: list[str], occasion: Occasion) -> list[str]:
    """Return the addresses of the first task that had as many pictures."""
    first: list[str] = occasion.memory.notes.setdefault(f"urls of {len(urls)}", urls)
    return first


def _never_final(data: Data, _: Occasion) -> Data:
    if _state_kind(data) == "begin":
        return data
    kept = {name: data[name] for name in ("taskId", "createTime")}
    return kept | {"state": "processing"}


def _back(data: Data, occasion: Occasion) -> Data:
    """Fall back to processing at every other look at the end."""
    looks = occasion.memory.notes
    if _state_kind(data) == "begin":
        return data
    looks[data["taskId"]] = looks.get(data["taskId"], 0) + 1
    return _never_final(data, occasion) if looks[data["taskId"]] % 2 == 0 else data


def _as_success(data: Data, _: Occasion) -> Data:
    if data["state"] != "failed":
        return data
    kept = {name: value for name, value in data.items() if not name.startswith("fail")}
    return kept | {"state": "success", "resultJson": '{"resultUrls": []}'}


def _as_failure(data: Data, _: Occasion) -> Data:
    if data["state"] != "success":
        return data
    kept = {name: value for name, value in data.items() if name != "resultJson"}
    return kept | {"state": "failed"}


MEMBERS = (
    *(_drop(member) for member in _NAMES),
    _member("recase", "taskId", lambda value, _, __: value.upper()),
    _member("retype", "taskId", lambda value, _, __: [value]),
    _member("swap", "taskId", _others_id),
    _member("recase", "state", lambda value, _, __: value.upper(), clause="STA-4"),
    _member("rename", "state", lambda _, data, __: {"success": "completed", "failed": "error"}.get(
        data["state"], "running"), clause="STA-4"),
    _member("retype", "createTime", lambda value, _, __: str(value)),
    _member("scale", "createTime", lambda value, _, __: value // 1000, clause="STA-9"),
    _member("shift", "createTime", lambda value, _, __: value + 1, clause="STA-9",
            also=frozenset({"STA-5"}), needs_control=True),
    _member("shift-hour", "createTime", lambda value, _, __: value - 3_600_000, clause="STA-9"),
    _member("swap", "createTime", lambda value, data, __: data.get("completeTime", value),
            clause="STA-9", when=_ENDS, also=frozenset({"STA-5"})),
    _member("retype", "completeTime", lambda value, _, __: str(value)),
    _member("scale", "completeTime", lambda value, _, __: value // 1000),
    _member("swap", "completeTime", lambda _, data, __: data["createTime"]),
    _member("shift-back", "completeTime", lambda _, data, __: data["createTime"] - 1),
    _member("stale", "completeTime", lambda value, _, occasion: value + occasion.now_ms % 977,
            clause="STA-5", also=frozenset({"CB-1"})),
    _member("retype", "costTime", lambda value, _, __: str(value), clause="STA-10"),
    _member("negate", "costTime", lambda value, _, __: -1 - _number(value), clause="STA-10"),
    _member("late", "costTime", lambda _, data, __: data["completeTime"] - data["createTime"] + 1,
            clause="STA-10"),
    _result("retype", json.loads),
    _result("twice", json.dumps),
    _result("bare", lambda value: json.dumps(json.loads(value)["resultUrls"])),
    _result("recase", lambda value: value.replace("resultUrls", "resulturls")),
    _result("truncate", lambda value: value[:-1]),
    _urls("drop", "result-url", lambda urls, _: urls[:-1], "STA-7", "STA-6"),
    _urls("duplicate", "result-url", lambda urls, _: [*urls, urls[-1]], "STA-7", "STA-6"),
    _urls("repeat", "result-url", lambda urls, _: [urls[0]] * len(urls), "STA-7", "RES-2"),
    _urls("stale", "result-url", lambda urls, occasion: [
        f"{url}?signed={occasion.now_ms}" for url in urls], "STA-5", "CB-1"),
    _urls("reorder", "result-url", lambda urls, occasion: (
        urls[::-1] if occasion.channel == "callback" else urls), "CB-1", "STA-5"),
    _urls("swap", "result-url", _others_urls, "STA-7", "RES-2", "RES-3", "STA-5", "AUTH-4"),
    _urls("retype", "result-url", lambda urls, _: [{"url": url} for url in urls], "STA-6", "STA-7"),
    _urls("shorten", "result-url", lambda urls, _: [
        url.partition(":")[2] for url in urls], "STA-6", "STA-7"),
    _member("recase", "failCode", lambda value, _, __: value.lower(), clause="FAIL-1"),
    _member("swap", "failCode", lambda value, _, __: (
        "INVALID_IMAGE_URL" if value == "CONTENT_VIOLATION" else "CONTENT_VIOLATION"),
        clause="FAIL-1"),
    _member("empty", "failCode", lambda _, __, ___: ""),
    _member("retype", "failCode", lambda _, __, ___: 1001),
    _member("null", "failMsg", lambda _, __, ___: None),
    _member("retype", "failMsg", lambda value, _, __: {"text": value}),
    _early("completeTime", None, "begin", "STA-9"),
    _early("costTime", 0, "begin", "STA-9"),
    _early("resultJson", '{"resultUrls": []}', "begin", "STA-6"),
    _early("failCode", "", "begin", "STA-8"),
    _early("failMsg", "", "success", "STA-8"),
    _early("failCode", None, "success", "STA-8"),
    _early("resultJson", '{"resultUrls": []}', "failed", "STA-6"),
    Alteration(operator="never", place="end", clause="STA-5", when=_ENDS, about=_EVERY_CONTEXT,
               also=frozenset({"TIM-1", "STA-4", "CB-1", "CB-5"}), data=_never_final),
    Alteration(operator="back", place="state", clause="STA-5", when=_ENDS, about=_EVERY_CONTEXT,
               also=frozenset({"CB-1"}), data=_back),
    Alteration(operator="swap", place="outcome-of-failures", clause="STA-5",
               when=frozenset({"failed"}), about=_EVERY_CONTEXT,
               also=frozenset({"FAIL-1", "FAIL-2", "STA-7", "STA-6", "CB-1"}), data=_as_success),
    Alteration(operator="swap", place="outcome-of-successes", clause="STA-8",
               when=frozenset({"success"}), about=_EVERY_CONTEXT,
               also=frozenset({"STA-5", "CB-1"}), data=_as_failure),
)  # fmt: skip
