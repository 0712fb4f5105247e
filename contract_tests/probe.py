"""What a case works with: it sends, lets time pass, looks, and notes what it found."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from contract_tests.case import Case
from contract_tests.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    Exchange,
    Pairs,
    Pause,
    Request,
    Response,
)
from contract_tests.verdicts import Finding
from contract_tests.world import World

GENERATE = "/api/v1/generateTask/gpt-image-1"
STATUS = "/api/v1/statusTask/gpt-image-1"
BALANCE = "/api/v1/apikeys/current-balance"
TROUBLE = frozenset({402, 403, 429, *range(500, 600)})
FINAL = ("success", "failed")  # no set: a state may be anything, also what has no hash
_SHOWN = 300  # characters of what was seen
_GENERATION_S = 300.0  # no task takes longer
_STEP_S = 3.0  # between two polls


class NotExercised(Exception):
    """The case could not get to its question: INCONCLUSIVE."""


class Trouble(Exception):
    """The target or the way to it is in trouble that the case did not provoke: ERROR."""


class Skipped(Exception):
    """This target cannot be asked: SKIP, with the reason."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the server under test."""

    base_url: str
    is_live: bool
    settings: Mapping[str, Any] | None = None
    """The mock's settings as `/_mock/sandbox` tells them; None where there is no control."""
    info: Mapping[str, Any] | None = None
    """What `/_mock/info` tells of the mock's settings as a whole: price, result_ttl, …"""
    has_other_key: bool = True

    @property
    def has_control(self) -> bool:
        return self.settings is not None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, and the number of the event that holds it."""

    response: Response
    event: int

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def json(self) -> Any:
        return self.response.json()

    @property
    def data(self) -> Any:
        """The envelope's `data`, None where there is none."""
        envelope = self.json
        return envelope.get("data") if isinstance(envelope, dict) else None

    @property
    def lacks_credit(self) -> bool:
        """Whether a submit was refused for want of money, which a page calls 400 (SUB-17)."""
        return self.status == 400 and b"insufficient credits" in self.response.body.lower()

    @property
    def shown(self) -> str:
        """What a report shows as seen."""
        if self.response.error is not None:
            return self.response.error
        body = self.response.body[:_SHOWN].decode("utf-8", "replace")
        return f"HTTP {self.status} {body}"


class Probe:
    def __init__(self, case: Case, world: World, target: Target, *, seed: int) -> None:
        self.case = case
        self.target = target
        self.seed = seed
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self._world = world

    # Sending

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = "own",
    ) -> Answer:
        """Send `body` as JSON, or `content` as it is (then with no content type but a given one).

        Raises Trouble when nothing usable came back, or when a live service is in trouble that
        the case did not provoke.
        """
        request = request_of(
            method, path, body=body, content=content, query=query, headers=headers, key=key
        )
        return self._judged(self._exchange(request))

    def submit(
        self, body: Mapping[str, object] | None = None, *, key: str = "own", **given: object
    ) -> Answer:
        """Send a submit: the whole body, or one with these members of `input`."""
        asked = {"mode": "gpt-image-1", "prompt": "a red fox in the snow", **given}
        return self.send("POST", GENERATE, body={"input": asked} if body is None else body, key=key)

    def task(
        self, body: Mapping[str, object] | None = None, *, key: str = "own", **given: object
    ) -> str:
        """Submit and return the task's id. Raises NotExercised when the submit is not accepted."""
        answer = self.submit(body, key=key, **given)
        task_id = answer.data.get("taskId") if isinstance(answer.data, dict) else None
        if answer.status != 200 or not isinstance(task_id, str) or not task_id:
            raise NotExercised(f"the submit was not accepted: {answer.shown}")
        return task_id

    def ask(self, task_id: str, *, key: str = "own") -> Answer:
        return self.send("GET", STATUS, query={"taskId": task_id}, key=key)

    def state(self, task_id: str) -> dict[str, Any]:
        """Return `data` of a status answer. Raises NotExercised when there is none."""
        answer = self.ask(task_id)
        if answer.status != 200 or not isinstance(answer.data, dict):
            raise NotExercised(f"the status request was not answered: {answer.shown}")
        data: dict[str, Any] = answer.data
        return data

    def ended(self, task_id: str) -> Answer:
        """Poll until the task has ended; return that answer."""
        waited_s = 0.0
        while True:
            answer = self.ask(task_id)
            data = answer.data
            if answer.status == 200 and isinstance(data, dict) and data.get("state") in FINAL:
                return answer
            if waited_s >= _GENERATION_S:
                raise NotExercised(f"the task has not ended in {waited_s:g} s: {answer.shown}")
            self.pass_time(_STEP_S)
            waited_s += _STEP_S

    def burst(self, request: Request, count: int) -> Burst:
        """Send the same request so often."""
        statuses, last = self._world.burst(request, count)
        burst = Burst(request=request, count=count, statuses=statuses, last=last)
        self.events.append(burst)
        return burst

    # Time and control

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the service: at once where there is control."""
        if self.target.has_control:
            self.control("POST", "clock/advance", {"seconds": seconds})
        else:
            self._world.pause(seconds)
            self.events.append(Pause(seconds=seconds))

    def control(self, method: str, path: str, body: object = None, *, key: str = "own") -> Any:
        """Speak to `/_mock` of the case's sandbox; return its JSON. Raises Trouble on a refusal."""
        answer = self._exchange(request_of(method, f"/_mock/{path}", body=body, key=key))
        if not 200 <= answer.status < 300:
            raise Trouble(f"control refused {method} {path}: {answer.shown}")
        return answer.json

    def control_task(
        self, method: str, task_id: str, action: str = "", body: object = None, *, key: str = "own"
    ) -> Any:
        """Speak to `/_mock` about a task, whatever its id looks like."""
        return self.control(method, f"tasks/{quote(task_id, safe='')}{action}", body, key=key)

    def change(self, **settings: object) -> None:
        """Change settings of the case's sandbox."""
        self.control("PATCH", "sandbox", settings)

    def begin(self) -> None:
        """Start from a sandbox that nobody has used, with time that stands still."""
        if self.target.has_control:
            for key in ("own", "other") if self.target.has_other_key else ("own",):
                self.control("DELETE", "sandbox", key=key)
                self.control("PUT", "clock", {"mode": "manual"}, key=key)

    # Callbacks

    def react(self, name: str, *reactions: tuple[int, float]) -> None:
        self._world.react(name, reactions)

    def deliveries(self, name: str, count: int = 1, within_s: float = 5.0) -> tuple[Delivery, ...]:
        """Return what came to the kit's receiver under this name: as soon as there are so many."""
        came = self._world.deliveries(name, count, within_s)
        self.events.append(Deliveries(name=name, deliveries=came))
        return came

    # Findings

    def check(
        self,
        clause: str,
        holds: bool,  # noqa: FBT001  # the claim itself
        *,
        expected: str,
        seen: object,
        at: Answer | None = None,
    ) -> bool:
        """Note whether a clause holds, and what was seen; return whether it does."""
        shown = seen.shown if isinstance(seen, Answer) else _shown(seen)
        where = at if at is not None else seen if isinstance(seen, Answer) else None
        last = len(self.events) - 1 if self.events else None
        event = last if where is None else where.event
        self.findings.append(
            Finding(clause=clause, holds=bool(holds), expected=expected, seen=shown, event=event)
        )
        return bool(holds)

    def _exchange(self, request: Request) -> Answer:
        response = self._world.exchange(request)
        self.events.append(Exchange(request=request, response=response))
        return Answer(response=response, event=len(self.events) - 1)

    def _judged(self, answer: Answer) -> Answer:
        if answer.response.error is not None:
            raise Trouble(answer.response.error)
        status = 402 if answer.lacks_credit else answer.status  # SUB-17
        is_trouble = status in TROUBLE and status not in self.case.provokes
        if self.target.is_live and is_trouble:
            raise Trouble(f"not provoked by the case: {answer.shown}")
        return answer


def request_of(
    method: str,
    path: str,
    *,
    body: object = None,
    content: bytes | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    key: str = "own",
) -> Request:
    """Build a request; `body` goes out as JSON with its content type, `content` as it is."""
    sent: Pairs = tuple((headers or {}).items())
    if body is not None:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        sent = (("Content-Type", "application/json"), *sent)
    return Request(
        method=method,
        path=path,
        query=tuple((query or {}).items()),
        headers=sent,
        body=content or b"",
        key=key,
    )


def _shown(seen: object) -> str:
    text = seen if isinstance(seen, str) else repr(seen)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
