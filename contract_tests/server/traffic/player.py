"""Plays the steps of a scenario against a server, and compares every answer with the model."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from contract_tests.contract.provider import BALANCE, GENERATE
from contract_tests.contract.verdicts import Finding
from contract_tests.server.answer import Answer, shown
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.model.facts import MAX_TASKS
from contract_tests.server.model.model import task_of
from contract_tests.server.model.outcomes import outcome_of
from contract_tests.server.model.tasks import ENDS, RANKS, KnownTask
from contract_tests.server.probe import Probe
from contract_tests.server.progress import generation_max_s
from contract_tests.server.reading import result_urls, state_of, task_id_of
from contract_tests.server.traffic import judging, steps, task_judging
from contract_tests.server.traffic.claims import Claim
from contract_tests.server.traffic.setup import Setup, begin
from contract_tests.server.world import RECEIVER

DEAD_URL: Final = "http://127.0.0.1:9/callback"
"""A URL at which no server listens: the port of a service that nobody runs."""
_STEP_S: Final = 1.0  # The pause between two status requests without control.


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that does not hold, with the number of the step that showed it."""

    claim: Claim
    finding: Finding
    step: int


class Player:
    """Plays one scenario. `failures` has the first failed claim of each clause.

    `prefix` separates the callbacks of this scenario from those of others in the same case.
    """

    def __init__(self, probe: Probe, setup: Setup, *, prefix: str) -> None:
        self.failures: dict[str, Failure] = {}
        self.held: dict[str, Finding] = {}
        self._probe = probe
        self._keys = setup.keys
        self._prefix = prefix
        self._step = 0
        self._waited_s = 0.0
        self.model = begin(probe, setup)

    def play(self, wanted: Iterable[steps.Step]) -> None:
        """Play steps in order, also after a failed claim."""
        for step in wanted:
            self.do(step)

    def do(self, step: steps.Step) -> bool:
        """Play one step; return whether every claim about it holds."""
        before = len(self.failures)
        _PLAYS[type(step)](self, step)
        self._step += 1
        return len(self.failures) == before

    def task(self, name: str) -> KnownTask | None:
        """Return the task that a submit of this name created, if it was accepted."""
        return self.model.tasks.get(name)

    # Steps

    def _submit(self, step: steps.Submit) -> None:
        body, name = self._complete(step)
        outcome = outcome_of(step.references, self.model.facts, is_moderated=step.is_moderated)
        expected = self.model.expect_submit(step.key, body)
        is_foreign = not self._probe.target.has_control
        may_fail_at_once = is_foreign and bool(outcome.codes) and 200 in expected.statuses
        if may_fail_at_once:
            # FAIL-6: the submit itself may fail, with 400 or a status that another page defines.
            statuses = expected.statuses | (set(range(400, 500)) - {401, 404, 429})
            expected = msgspec.structs.replace(expected, statuses=statuses, names=())
        answer = self._send("POST", GENERATE, step.key, body=body)
        self._claim(judging.judge_status_code(expected, answer), answer)
        if may_fail_at_once and not _has_data_urls(body):
            self._claim(judging.judge_failure_at_once(outcome, answer), answer)
        if self.model.facts.max_tasks < MAX_TASKS:
            self._claim([judging.task_limit(expected, answer)], answer)
        task_id = task_id_of(answer)
        if answer.status == 200:
            claim = Claim(
                clause="SUB-1",
                holds=task_id is not None and task_id not in self._ids(),
                expected="a new taskId, a text that is not empty",
                python='isinstance(data["taskId"], str) and data["taskId"]',
            )
            self._claim([claim], answer)
        if task_id is None or step.task in self.model.tasks:
            return
        task = task_of(body, id_=task_id, key=step.key)
        task.ends, task.end_clause = outcome.ends, outcome.clause
        task.fail_codes = outcome.codes or None
        if is_foreign and not outcome.codes and _has_data_urls(body):
            task.ends = ENDS  # No page documents data URLs.
        task.born_ms, task.submitted_s = self._now_ms(step.key), self._waited_s
        if name is not None:
            is_for_callback = body.get("request_type") == "callback"
            task.receiver = name
            task.calls_back = is_for_callback
            task.reactions = tuple(status for status, _ in step.reactions)
        self.model.accepted(step.task, task)
        if self._probe.target.has_control:
            self._read_plan(task)

    def _poll(self, step: steps.Poll) -> None:
        task = self.task(step.task)
        if task is not None:
            self._read_status(task, step.key or task.key)

    def _read_status(self, task: KnownTask, key: str) -> Answer:
        expected = self.model.expect_status(key, task)
        before_ms = self._now_ms(task.key)
        answer = self._probe.read_status(task.id, key=key)
        self.model.sent(key, answer.status)
        self._raise_if_limited(answer)
        self._claim(judging.judge_status_code(expected, answer), answer)
        if key != task.key or answer.status != 200:
            return answer
        is_lenient = not self._probe.target.has_control
        self._claim(task_judging.judge_task(task, answer, before_ms, is_lenient=is_lenient), answer)
        state = state_of(answer)
        task.seen(
            state if state in RANKS else None,
            created=answer.data.get("createTime") if isinstance(answer.data, dict) else None,
            body=answer.response.body,
            urls=tuple(result_urls(answer)),
            now_ms=before_ms,
        )
        return answer

    def _read_balance(self, step: steps.ReadBalance) -> None:
        expected = self.model.expect_balance(step.key)
        account = self.model.accounts.get(step.key)
        answer = self._send("GET", BALANCE, step.key)
        self._claim(judging.judge_status_code(expected, answer), answer)
        if answer.status == 200 and account is not None:
            has_failed = any("failed" in task.ends for task in account.tasks)
            clause = "FAIL-5" if has_failed else "BIL-1"
            balance = account.balance_microusd()
            self._claim(judging.judge_balance(balance, answer, clause=clause), answer)

    def _download(self, step: steps.Download) -> None:
        task = self.task(step.task)
        if task is None or not task.result_urls:
            return
        url = task.result_urls[step.index % len(task.result_urls)]
        is_available = self.model.is_downloadable(task)
        answer = self._probe.send("GET", url, key="none")
        self._claim(judging.judge_download(task, answer, is_available=is_available), answer)

    def _check_callbacks(self, step: steps.CheckCallbacks) -> None:
        task = self.task(step.task)
        if task is None or task.receiver is None:
            return
        least, most = task.attempts_until(self._now_ms(task.key), self._waited_s)
        # If the finding exists, this does not wait again for callbacks that do not arrive.
        is_known = bool({"CB-1", "CB-3"} & self.failures.keys())
        received = self._probe.await_deliveries(task.receiver, 0 if is_known else least)
        if received and task.called_s is None:
            task.called_s = self._waited_s
        bodies = tuple(delivery.body for delivery in received)
        self._claim(task_judging.judge_callbacks(task, bodies, (least, most)), None)

    def _pass_time(self, step: steps.PassTime) -> None:
        self._advance(step.seconds)

    def _pass_to_end(self, step: steps.PassToEnd) -> None:
        task = self.task(step.task)
        if task is None:
            return
        now_ms = self._now_ms(task.key)
        if now_ms is not None and task.end_ms is not None:
            left_ms = task.end_ms - now_ms + round(step.offset_s * 1000)
            if left_ms > 0:
                self._advance(left_ms / 1000)
            return
        if step.offset_s < 0:
            return
        # Tasks that run together have the same time, so they do not wait one after another.
        longest_s = generation_max_s(self._probe.target)
        while not task.is_frozen:
            answer = self._read_status(task, task.key)
            if self._waited_s - task.submitted_s >= longest_s:
                self._claim(task_judging.never_ends(longest_s), answer)
                return
            if answer.status != 200 or task.is_frozen:
                return
            self._advance(_STEP_S)

    def _finish(self, step: steps.Finish) -> None:
        task = self.task(step.task)
        now_ms = None if task is None else self._now_ms(task.key)
        if task is None or task.has_ended(now_ms) is not False:
            return
        end = {"state": step.state}
        if step.fail_code is not None:
            end["failCode"] = step.fail_code
        self._probe.control_task("POST", task.id, "/finish", end, key=task.key)
        task.end_ms, task.ends = now_ms, frozenset({step.state})
        task.fail_codes = None if step.fail_code is None else frozenset({step.fail_code})
        task.end_clause = "FAIL-3" if step.state == "failed" else "STA-4"

    # Common parts

    def _complete(self, step: steps.Submit) -> tuple[dict[str, Any], str | None]:
        """Return the body with its callback URL, and the name of that at the receiver."""
        body = dict(step.body)
        if step.receiver == "dead":
            return {**body, "callback_url": DEAD_URL}, None
        if step.receiver != "kit":
            return body, None
        name = f"{self._prefix}{step.task}"
        if step.reactions:
            self._probe.script_receiver(name, *step.reactions)
        return {**body, "callback_url": f"{RECEIVER}/{name}"}, name

    def _send(
        self, method: str, path: str, key: str, *, body: Mapping[str, Any] | None = None
    ) -> Answer:
        answer = self._probe.send(method, path, body=body, key=key)
        self.model.sent(key, answer.status)
        self._raise_if_limited(answer)
        return answer

    def _raise_if_limited(self, answer: Answer) -> None:
        """Stop if a limit was reached that cannot be known without control."""
        if answer.status == 429 and not self._probe.target.has_control:
            raise PreconditionNotMet(f"a limit was reached that is not known: {answer.shown}")

    def _read_plan(self, task: KnownTask) -> None:
        told = self._probe.control_task("GET", task.id, key=task.key)
        plan = told.get("plan") if isinstance(told, dict) else None
        if isinstance(plan, dict):
            task.start_ms, task.end_ms = plan.get("start_ms"), plan.get("end_ms")

    def _advance(self, seconds: float) -> None:
        self._waited_s += seconds
        if not self._probe.target.has_control:
            self._probe.pass_time(seconds)
            return
        for key in self._keys:
            told = self._probe.control("POST", "clock/advance", {"seconds": seconds}, key=key)
            self.model.set_clock(key, told["now_ms"])

    def _now_ms(self, key: str) -> int | None:
        account = self.model.accounts.get(key)
        return None if account is None else account.now_ms

    def _ids(self) -> set[str]:
        return {task.id for task in self.model.tasks.values()}

    def _claim(self, claims: Iterable[Claim], answer: Answer | None) -> None:
        last = len(self._probe.events) - 1 if self._probe.events else None
        for claim in claims:
            seen = claim.seen or ("" if answer is None else answer.shown)
            finding = Finding(
                clause=claim.clause,
                holds=claim.holds,
                expected=claim.expected,
                seen=shown(seen),
                event=last if answer is None else answer.event,
                is_choice=claim.is_choice,
            )
            if claim.holds:
                self.held[claim.clause] = finding
            elif claim.clause not in self.failures:
                self.failures[claim.clause] = Failure(claim=claim, finding=finding, step=self._step)


def _has_data_urls(body: Mapping[str, Any]) -> bool:
    given = body.get("input")
    urls = given.get("image_urls", ()) if isinstance(given, dict) else ()
    return any(str(url).startswith("data:") for url in urls)


_PLAYS: Final[Mapping[type, Callable[[Player, Any], None]]] = {
    steps.Submit: Player._submit,  # noqa: SLF001  # a table of this module's own methods
    steps.Poll: Player._poll,  # noqa: SLF001
    steps.ReadBalance: Player._read_balance,  # noqa: SLF001
    steps.Download: Player._download,  # noqa: SLF001
    steps.CheckCallbacks: Player._check_callbacks,  # noqa: SLF001
    steps.PassTime: Player._pass_time,  # noqa: SLF001
    steps.PassToEnd: Player._pass_to_end,  # noqa: SLF001
    steps.Finish: Player._finish,  # noqa: SLF001
}
