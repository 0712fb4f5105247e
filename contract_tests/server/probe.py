"""The interface of a case: send requests, pass time, receive callbacks, record findings."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import quote

from contract_tests.contract.provider import FINAL, GENERATE, STATUS
from contract_tests.contract.verdicts import Finding
from contract_tests.server.answer import Answer, shown
from contract_tests.server.contexts import Context
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Delivery,
    Event,
    HttpExchange,
    Pause,
    Request,
    build_request,
)
from contract_tests.server.interruptions import (
    CaseSkipped,
    FailedAtOnce,
    PreconditionNotMet,
    TargetFailure,
)
from contract_tests.server.progress import Progress, generation_max_s
from contract_tests.server.reading import fail_code_at_once
from contract_tests.server.target import Target
from contract_tests.server.world import World

TROUBLE: Final = frozenset({402, 403, 429, *range(500, 600)})
"""Statuses that are a failure on a live service, unless the case provokes them."""
_ROOM: Final = {"rate_limit": 10_000, "max_concurrent": 1000, "balance": 10_000}
"""What the cases need of a mock. Those about limits and credit set smaller values."""
_STORED_S: Final = 30.0  # How long a case may need between the end of a task and a download.
_STEP_S: Final = 3.0  # The pause between two status requests.
_CALLBACK_S: Final = 60.0  # The maximum real time in which a due callback arrives.
_FIRST_LOOK_S: Final = 1.0  # The real time before the first check for pending callbacks.


class Probe:
    def __init__(
        self, world: World, target: Target, *, seed: int, provokes: Collection[int] = ()
    ) -> None:
        self.target = target
        self.seed = seed
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self.contexts: list[Context] = []
        self._world = world
        self._provokes = provokes
        self._used_keys: set[str] = set()

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
        """Send `body` as JSON, or `content` unchanged, and return the answer.

        `content` gets no content type unless `headers` has one.

        Raises:
            TargetFailure: No usable response arrived, or a live service returned an error that the
                case did not provoke.
        """
        request = build_request(
            method, path, body=body, content=content, query=query, headers=headers, key=key
        )
        return self._judged(self._exchange(request))

    def submit(
        self, body: Mapping[str, object] | None = None, *, key: str = "own", **given: object
    ) -> Answer:
        """Send a submit with this body, or with these members of `input`."""
        task_input = {"mode": "gpt-image-1", "prompt": "a red fox in the snow", **given}
        whole = {"input": task_input} if body is None else body
        return self.send("POST", GENERATE, body=whole, key=key)

    def submit_task(
        self, body: Mapping[str, object] | None = None, *, key: str = "own", **given: object
    ) -> str:
        """Submit a task and return its id.

        Raises:
            FailedAtOnce: The submit was rejected with a fail code (FAIL-6).
            PreconditionNotMet: The submit was not accepted.
        """
        answer = self.submit(body, key=key, **given)
        task_id = answer.data.get("taskId") if isinstance(answer.data, dict) else None
        code = fail_code_at_once(answer)
        if code is not None:
            raise FailedAtOnce(code)
        if answer.status != 200 or not isinstance(task_id, str) or not task_id:
            raise PreconditionNotMet(f"the submit was not accepted: {answer.shown}")
        return task_id

    def read_status(self, task_id: str, *, key: str = "own") -> Answer:
        """Send a status request and return the answer."""
        return self.send("GET", STATUS, query={"taskId": task_id}, key=key)

    def read_task(self, task_id: str) -> dict[str, Any]:
        """Return `data` of a status answer. Raise PreconditionNotMet if there is none."""
        answer = self.read_status(task_id)
        if answer.status != 200 or not isinstance(answer.data, dict):
            raise PreconditionNotMet(f"the status request was rejected: {answer.shown}")
        data: dict[str, Any] = answer.data
        return data

    def poll_until_final(self, task_id: str) -> Answer:
        """Poll until the task is final and return that answer. Raise PreconditionNotMet."""
        progress, waited_s = Progress(self), 0.0
        while True:
            answer = self.read_status(task_id)
            data = answer.data
            if answer.status == 200 and isinstance(data, dict) and data.get("state") in FINAL:
                return answer
            progress.see(answer)
            if progress.is_over or waited_s >= generation_max_s(self.target):
                raise PreconditionNotMet(progress.give_up())
            self.pass_time(_STEP_S)
            waited_s += _STEP_S

    def burst(self, request: Request, count: int) -> Burst:
        """Send the same request `count` times in sequence."""
        self._prepare(request)
        statuses, last = self._world.burst(request, count)
        burst = Burst(request=request, count=count, statuses=statuses, last=last)
        self.events.append(burst)
        return burst

    def require_second_key(self) -> None:
        """Raise CaseSkipped unless the key "other" can be used."""
        if not self.target.has_other_key:
            raise CaseSkipped("requires a second API key: set APIXO_SECOND_API_KEY")

    def require_results(self) -> None:
        """Raise CaseSkipped if a mock is configured to remove results before they can be read."""
        valid_s = (self.target.info or {}).get("result_ttl", _STORED_S)
        if valid_s < _STORED_S:
            raise CaseSkipped(f"results expire after {valid_s:g} s here, too soon for a download")

    # Time and control

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the service; with a control plane, without waiting."""
        if self.target.has_control:
            self.control("POST", "clock/advance", {"seconds": seconds})
        else:
            self._world.pause(seconds)
            self.events.append(Pause(seconds=seconds))

    def control(self, method: str, path: str, body: object = None, *, key: str = "own") -> Any:
        """Call `/_mock` for the case's sandbox and return its JSON.

        Raises:
            TargetFailure: The mock rejected the call.
        """
        answer = self._exchange(build_request(method, f"/_mock/{path}", body=body, key=key))
        if not 200 <= answer.status < 300:
            raise TargetFailure(f"the control plane rejected {method} {path}: {answer.shown}")
        return answer.json

    def control_task(
        self, method: str, task_id: str, action: str = "", body: object = None, *, key: str = "own"
    ) -> Any:
        """Call `/_mock/tasks/{task_id}` with any task id and return its JSON."""
        return self.control(method, f"tasks/{quote(task_id, safe='')}{action}", body, key=key)

    def change_settings(self, **settings: object) -> None:
        """Change settings of the case's sandbox."""
        self.control("PATCH", "sandbox", settings)

    def reset(self) -> None:
        """Start with empty sandboxes and manual clocks."""
        self._used_keys.clear()

    def _prepare(self, request: Request) -> None:
        """Empty the sandbox of a key before its first request since the last reset."""
        key = request.key.partition(" as ")[0]
        if key in self._used_keys or key not in {"own", "other"} or not self.target.has_control:
            return
        self._used_keys.add(key)
        self.control("DELETE", "sandbox", key=key)
        self.control("PUT", "clock", {"mode": "manual"}, key=key)
        configured = self.target.settings or {}
        room = {name: most for name, most in _ROOM.items() if configured.get(name, most) < most}
        if room:
            self.control("PATCH", "sandbox", room, key=key)

    # Callbacks

    def script_receiver(self, name: str, *reactions: tuple[int, float]) -> None:
        """Set how the next callbacks of this name are answered: (status, delay in seconds)."""
        self._world.script_receiver(name, reactions)

    def await_deliveries(self, name: str, count: int = 1) -> tuple[Delivery, ...]:
        """Return the callbacks of this name once `count` arrived or no more can be expected.

        With a control plane, the mock tells whether a callback is pending, so a slow machine only
        makes the wait longer.  Without one, the wait ends after a minute.
        """
        if not self.target.has_control:
            return self.deliveries(name, count, within_s=_CALLBACK_S)
        received = self.deliveries(name, count, within_s=_FIRST_LOOK_S)
        waited_s = _FIRST_LOOK_S
        while len(received) < count and waited_s < _CALLBACK_S:
            is_sending = (
                self._is_sending()
            )  # Checked first: callbacks that were sent have arrived by then.
            received = self.deliveries(name, count, within_s=_FIRST_LOOK_S if is_sending else 0)
            waited_s += _FIRST_LOOK_S
            if not is_sending:
                break
        return received

    def deliveries(self, name: str, count: int, within_s: float) -> tuple[Delivery, ...]:
        """Return the callbacks of a name once `count` arrived, or after `within_s` real seconds."""
        received = self._world.deliveries(name, count, within_s)
        self.events.append(Deliveries(name=name, deliveries=received))
        return received

    def collect_callbacks(self) -> None:
        """Add the callbacks that arrived and that the case did not ask for to its events."""
        known = {event.name: event for event in self.events if isinstance(event, Deliveries)}
        self.events += (each for each in self._world.received() if each != known.get(each.name))

    def _is_sending(self) -> bool:
        """Return whether a callback of the mock is due or in progress."""
        now_ms = self.control("GET", "clock")["now_ms"]
        pending = [
            each for each in self.control("GET", "callbacks")["deliveries"]
            if each["state"] == "pending"
        ]  # fmt: skip
        return any(each["next_ms"] is None or each["next_ms"] <= now_ms for each in pending)

    # Findings

    def check(
        self,
        clause: str,
        holds: bool,  # noqa: FBT001  # the claim itself
        *,
        expected: str,
        seen: object,
        at: Answer | None = None,
        is_choice: bool = False,
    ) -> bool:
        """Record whether a clause holds and the observation; return whether it holds.

        `is_choice` says that no page states what is expected, although pages state the clause.
        """
        seen_text = seen.shown if isinstance(seen, Answer) else shown(seen)
        where = at if at is not None else seen if isinstance(seen, Answer) else None
        last = len(self.events) - 1 if self.events else None
        event = last if where is None else where.event
        self.findings.append(
            Finding(
                clause=clause,
                holds=bool(holds),
                expected=expected,
                seen=seen_text,
                event=event,
                is_choice=is_choice,
            )
        )
        return bool(holds)

    def _exchange(self, request: Request) -> Answer:
        self._prepare(request)
        response = self._world.exchange(request)
        self.events.append(HttpExchange(request=request, response=response))
        return Answer(response=response, event=len(self.events) - 1)

    def _judged(self, answer: Answer) -> Answer:
        if answer.response.error is not None:
            raise TargetFailure(answer.response.error)
        status = 402 if answer.lacks_credit else answer.status  # SUB-17
        is_trouble = status in TROUBLE and status not in self._provokes
        if self.target.is_live and is_trouble:
            raise TargetFailure(f"not provoked by the case: {answer.shown}")
        if status in {402, 429} and is_trouble and not self.target.has_control:
            raise PreconditionNotMet(f"a limit of the server prevents the case: {answer.shown}")
        return answer
