"""What a sandbox with rules must do, told with plain lists and numbers."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Effect = tuple[Any, ...]

NTHS: dict[str, set[int]] = {
    "2..3": {2, 3},
    "every 2": set(range(2, 1000, 2)),
    "every 3": set(range(3, 1000, 3)),
}
DIRECTIVES: dict[str, Json] = {
    "a cat": {},
    "a dog": {},
    "a slow cat [[mock pending=2s processing=4s]]": {"pending": 2, "processing": 4},
    "a bad dog [[mock fail=MODEL_UNAVAILABLE]]": {"fail": "MODEL_UNAVAILABLE"},
}


@dataclass
class Line:
    """A rule, and what has come of it."""

    rule: Json
    left: int = 0  # of the queue
    seen: int = 0
    applied: int = 0
    met: dict[str, int] = field(default_factory=dict)


@dataclass
class Born:
    """A task: when each of its states ends, in seconds."""

    prompt: str
    starts: int
    ends: int
    fail: str | None


class DumbModel:
    def __init__(self) -> None:
        self.now = 0
        self.rules: list[Line] = []
        self.queue: list[Line] = []
        self.tasks: list[Born] = []

    def submit(self, prompt: str, *, has_header: bool) -> Effect:
        apply = self._chosen("submit", prompt, prompt, None, has_header=has_header)
        if "refuse" in apply:
            return ("refused", apply["refuse"]["status"])
        outcome = DIRECTIVES[prompt]
        ruled = apply.get("outcome", {})
        starts = self.now + outcome.get("pending", ruled.get("pending", 0))
        ends = starts + outcome.get("processing", ruled.get("processing", 0))
        self.tasks.append(Born(prompt, starts, ends, outcome.get("fail") or ruled.get("fail")))
        return ("empty",) if "wire" in apply else ("accepted",)

    def poll(self, number: int, *, has_header: bool) -> Effect:
        task = self.tasks[number]
        state = self._state(task)
        apply = self._chosen("status", str(number), task.prompt, state, has_header=has_header)
        if "refuse" in apply:
            return ("refused", apply["refuse"]["status"])
        if "wire" in apply:
            return ("empty",)
        meaning = apply.get("meaning")
        if meaning == "unknown-state":
            return ("unknown",)
        if meaning == "final-late":
            return ("processing", None, False)
        return (state, task.fail if state == "failed" else None, meaning == "result-urls-empty")

    def _state(self, task: Born) -> str:
        if self.now < task.starts:
            return "pending"
        if self.now < task.ends:
            return "processing"
        return "failed" if task.fail else "success"

    def _chosen(
        self, operation: str, subject: str, prompt: str, state: str | None, *, has_header: bool
    ) -> Json:
        for line in self.queue:
            if fits(line.rule, operation, prompt, state, has_header=has_header):
                line.left -= 1
                self.queue = [each for each in self.queue if each.left]
                apply: Json = line.rule["apply"]
                return apply
        for line in self.rules:
            if fits(line.rule, operation, prompt, state, has_header=has_header):
                line.seen += 1
                if is_turn(line, subject):
                    line.applied += 1
                    applied: Json = line.rule["apply"]
                    return applied
        return {}


def fits(rule: Json, operation: str, prompt: str, state: str | None, *, has_header: bool) -> bool:
    match, apply = rule["match"], rule["apply"]
    if operation not in match.get("operation", ["submit", "status"]):
        return False
    if operation == "status" and "outcome" in apply:
        return False
    meaning = apply.get("meaning")
    if meaning and operation == "submit":
        return False
    if meaning == "result-urls-empty" and state != "success":
        return False
    if meaning == "final-late" and state not in {"success", "failed"}:
        return False
    if "state" in match and match["state"] != state:
        return False
    prompt_fits: bool = match.get("prompt", "") in prompt
    return prompt_fits and (has_header or "header" not in match)


def is_turn(line: Line, subject: str) -> bool:
    match = line.rule["match"]
    nth = match.get("nth")
    if nth is not None and line.seen != nth and line.seen not in NTHS.get(nth, ()):
        return False
    if line.applied >= match.get("times", 1000):
        return False
    line.met[subject] = line.met.get(subject, 0) + 1
    return bool(line.met[subject] <= match.get("times_each", 1000))
