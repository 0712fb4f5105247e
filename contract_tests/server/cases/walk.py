"""The actions of clients, and a model of the expected responses."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from contract_tests.contract.provider import GENERATE
from contract_tests.server.answer import Answer
from contract_tests.server.cases.reading import (
    canonical,
    has_ended,
    result_urls,
    state_of,
    task_id_of,
)
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.properties import Counterexample
from contract_tests.server.world import RECEIVER

_RANKS = {"pending": 0, "processing": 1, "success": 2, "failed": 2}
_FAILING = ["https://images.invalid/fox.png"]


@dataclass(kw_only=True)
class KnownTask:
    """The state of a task in the model."""

    id: str
    key: str
    images: int
    callback: str | None
    born_ms: int | None
    seen_live_ms: int | None = None
    created: object = None
    state: str = "pending"
    final: bytes | None = None


class Walk:
    """Actions of clients. Each one records findings and raises Counterexample if one failed."""

    def __init__(self, probe: Probe, names: "count[int]", limit: int | None = None) -> None:
        """Start with empty sandboxes; with control, set `limit` for tasks in progress per key."""
        self._probe = probe
        self._limit = limit
        self._names = names
        self.keys = ("own", "other") if probe.target.has_other_key else ("own",)
        self.tasks: list[KnownTask] = []
        self._now_ms: dict[str, int | None] = dict.fromkeys(self.keys)
        probe.reset()
        if probe.target.has_control:
            settings = {
                "generation_time": 30,
                "strict": False,
                "rate_limit": 10_000,
                "max_concurrent": limit or 1000,
            }
            for key in self.keys:
                probe.control("PATCH", "sandbox", settings, key=key)
                self._now_ms[key] = _instant(probe.control("GET", "clock", key=key))

    def submit(self, key: str, *, images: int, fails: bool, calls_back: bool) -> KnownTask | None:
        """Submit, and check that exactly the configured number of tasks is accepted.

        Raises PreconditionNotMet if a submit is rejected for another reason than the limit.
        """
        body, callback = self._body(images, fails=fails, calls_back=calls_back)
        live = 0 if self._limit is None else self._live(key)
        answer = self._probe.send("POST", GENERATE, body=body, key=key)
        task_id = task_id_of(answer)
        if self._limit is not None:
            is_full = live >= self._limit
            expected = f"{live} of {self._limit} tasks of this key are in progress: "
            expected += "HTTP 429" if is_full else "HTTP 200"
            self._check("LIM-2", answer.status == (429 if is_full else 200), expected, answer)
            if is_full:
                return None
        if task_id is None:
            raise PreconditionNotMet(f"the submit was not accepted: {answer.shown}")
        known = KnownTask(
            id=task_id, key=key, images=images, callback=callback, born_ms=self._now_ms[key]
        )
        self.tasks.append(known)
        return known

    def poll(self, known: KnownTask) -> None:
        answer = self._probe.read_status(known.id, key=known.key)
        if known.final is not None:
            is_frozen = answer.status == 200 and answer.response.body == known.final
            final = known.final[:300].decode("utf-8", "replace")
            self._check("STA-5", is_frozen, f"the final response never changes: {final}", answer)
            return
        self._judge(known, answer)
        known.state = state_of(answer) or known.state
        if has_ended(answer):
            known.final = answer.response.body
        else:
            known.seen_live_ms = self._now_ms[known.key]
        if known.callback is not None:
            self._judge_callbacks(known, known.callback)

    def peep(self, known: KnownTask) -> None:
        """Read the status of a task with another key."""
        for key in self.keys:
            if key != known.key:
                answer = self._probe.read_status(known.id, key=key)
                expected = "the task of another key is not found: HTTP 404"
                self._check("AUTH-4", answer.status == 404, expected, answer)

    def finish(self, known: KnownTask, end: dict[str, str]) -> None:
        """End a task now through the control plane, unless it has ended."""
        self.poll(known)
        if known.final is None:
            self._probe.control_task("POST", known.id, "/finish", end, key=known.key)
            self.poll(known)

    def pass_time(self, seconds: float) -> None:
        """Let time pass for every key, and check every task."""
        if self._probe.target.has_control:
            for key in self.keys:
                told = self._probe.control("POST", "clock/advance", {"seconds": seconds}, key=key)
                self._now_ms[key] = _instant(told)
        else:
            self._probe.pass_time(seconds)
        for known in self.tasks:
            self.poll(known)

    def _live(self, key: str) -> int:
        mine = [known for known in self.tasks if known.key == key and known.final is None]
        for known in mine:
            self.poll(known)
        return sum(known.final is None for known in mine)

    def _body(
        self, images: int, *, fails: bool, calls_back: bool
    ) -> tuple[dict[str, Any], str | None]:
        asked: dict[str, Any] = {
            "mode": "gpt-image-1", "prompt": "a red fox in the snow", "num_images": images
        }  # fmt: skip
        if fails:
            asked["image_urls"] = _FAILING
        if not calls_back:
            return {"input": asked}, None
        name = f"walk-{next(self._names)}"
        callback = {"request_type": "callback", "callback_url": f"{RECEIVER}/{name}"}
        return {**callback, "input": asked}, name

    def _judge(self, known: KnownTask, answer: Answer) -> None:
        data = answer.data if isinstance(answer.data, dict) else {}
        state, created = data.get("state"), data.get("createTime")
        is_whole = answer.status == 200 and data.get("taskId") == known.id
        self._check(
            "STA-3",
            is_whole and isinstance(state, str) and "createTime" in data,
            "HTTP 200 with taskId, state and createTime",
            answer,
        )
        self._check("STA-4", str(state) in _RANKS, f"a state of {', '.join(_RANKS)}", answer)
        is_forward = _RANKS.get(str(state), -1) >= _RANKS[known.state]
        self._check("STA-5", is_forward, f"no state before {known.state}", answer)
        known.created = created if known.created is None else known.created
        is_time = type(created) is int and created == known.created
        expected = "createTime in whole milliseconds, the same at every request"
        if known.born_ms is not None:
            is_time = is_time and created == known.born_ms
            expected = f"createTime is the instant of the submit, {known.born_ms}"
        self._check("STA-9", is_time, expected, answer)
        self._judge_members(known, data, answer)

    def _judge_members(self, known: KnownTask, data: dict[str, Any], answer: Answer) -> None:
        state = data["state"]
        is_final = state in {"success", "failed"}
        # A live service may send null for a missing member; the mock omits it.
        is_lenient = self._probe.target.is_live
        has = {name for name, value in data.items() if value is not None or not is_lenient}
        for clause, names, is_there in (
            ("STA-6", {"resultJson"}, state == "success"),
            ("STA-8", {"failCode", "failMsg"}, state == "failed"),
            ("STA-9", {"completeTime", "costTime"}, is_final),
        ):
            expected = f"{' and '.join(sorted(names))} {'' if is_there else 'not '}at {state}"
            self._check(clause, has & names == (names if is_there else set()), expected, answer)
        if state == "success":
            self._check(
                "STA-7", len(result_urls(answer)) == known.images, f"{known.images} images", answer
            )
        if is_final:
            self._judge_times(known, data, answer)

    def _judge_times(self, known: KnownTask, data: dict[str, Any], answer: Answer) -> None:
        created, completed, cost = data["createTime"], data["completeTime"], data["costTime"]
        earliest, latest = known.seen_live_ms, self._now_ms[known.key]
        self._check(
            "STA-9",
            type(completed) is int
            and max(created, earliest or 0) <= completed
            and (latest is None or completed <= latest),
            f"completeTime from {earliest or created}, when it was in progress, until now",
            answer,
        )
        self._check(
            "STA-10",
            type(cost) is int and 0 <= cost <= completed - created,
            "0 ≤ costTime ≤ completeTime - createTime",
            answer,
        )

    def _judge_callbacks(self, known: KnownTask, name: str) -> None:
        if known.final is None:
            # In real time, the task may end between the status request and this check.
            is_still = not self._probe.target.has_control or not self._probe.deliveries(name, 1, 0)
            self._check("CB-1", is_still, "no callback before the end", "a callback")
            return
        came = self._probe.await_deliveries(name)
        self._check(
            "CB-1",
            {canonical(delivery.body) for delivery in came} == {canonical(known.final)},
            f"the same body as the status response: {known.final[:300].decode('utf-8', 'replace')}",
            came[-1].body.decode("utf-8", "replace") if came else "no callback",
        )

    def _check(self, clause: str, holds: bool, expected: str, seen: object) -> None:  # noqa: FBT001
        if not self._probe.check(clause, holds, expected=expected, seen=seen):
            raise Counterexample


def _instant(told: object) -> int | None:
    value = told.get("now_ms") if isinstance(told, dict) else None
    return value if type(value) is int else None
