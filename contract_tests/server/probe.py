"""What a case works with: it sends, lets time pass, looks, and notes what it found."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import quote

from contract_tests.contract.provider import FINAL, GENERATE, STATUS
from contract_tests.contract.verdicts import Finding
from contract_tests.server.answer import Answer, shown
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    Exchange,
    Pause,
    Request,
    request_of,
)
from contract_tests.server.interruptions import PreconditionNotMet, TargetFailure
from contract_tests.server.target import Target
from contract_tests.server.world import World

TROUBLE: Final = frozenset({402, 403, 429, *range(500, 600)})
"""Statuses that mean trouble on a live service, unless the case provokes them."""
_GENERATION_S = 300.0  # no task takes longer
_STEP_S = 3.0  # between two polls


class Probe:
    def __init__(
        self, world: World, target: Target, *, seed: int, provokes: Collection[int] = ()
    ) -> None:
        self.target = target
        self.seed = seed
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self._world = world
        self._provokes = provokes

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

        Raises TargetFailure when no usable answer arrived, or when a live service is in trouble
        that the case did not provoke.
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
        """Submit a task and return its id.

        Raises PreconditionNotMet when the submit is not accepted.
        """
        answer = self.submit(body, key=key, **given)
        task_id = answer.data.get("taskId") if isinstance(answer.data, dict) else None
        if answer.status != 200 or not isinstance(task_id, str) or not task_id:
            raise PreconditionNotMet(f"the submit was not accepted: {answer.shown}")
        return task_id

    def ask(self, task_id: str, *, key: str = "own") -> Answer:
        return self.send("GET", STATUS, query={"taskId": task_id}, key=key)

    def state(self, task_id: str) -> dict[str, Any]:
        """Return `data` of a status answer. Raises PreconditionNotMet when there is none."""
        answer = self.ask(task_id)
        if answer.status != 200 or not isinstance(answer.data, dict):
            raise PreconditionNotMet(f"the status request was not answered: {answer.shown}")
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
                raise PreconditionNotMet(
                    f"the task has not ended in {waited_s:g} s: {answer.shown}"
                )
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
        """Call `/_mock` for the case's sandbox and return its JSON.

        Raises TargetFailure when the mock rejects the call.
        """
        answer = self._exchange(request_of(method, f"/_mock/{path}", body=body, key=key))
        if not 200 <= answer.status < 300:
            raise TargetFailure(f"control refused {method} {path}: {answer.shown}")
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
        seen_text = seen.shown if isinstance(seen, Answer) else shown(seen)
        where = at if at is not None else seen if isinstance(seen, Answer) else None
        last = len(self.events) - 1 if self.events else None
        event = last if where is None else where.event
        self.findings.append(
            Finding(
                clause=clause, holds=bool(holds), expected=expected, seen=seen_text, event=event
            )
        )
        return bool(holds)

    def _exchange(self, request: Request) -> Answer:
        response = self._world.exchange(request)
        self.events.append(Exchange(request=request, response=response))
        return Answer(response=response, event=len(self.events) - 1)

    def _judged(self, answer: Answer) -> Answer:
        if answer.response.error is not None:
            raise TargetFailure(answer.response.error)
        status = 402 if answer.lacks_credit else answer.status  # SUB-17
        is_trouble = status in TROUBLE and status not in self._provokes
        if self.target.is_live and is_trouble:
            raise TargetFailure(f"not provoked by the case: {answer.shown}")
        return answer
