"""Promises that hold for any order of requests: a state machine over several keys and tasks."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
)

from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.events import HttpExchange
from contract_tests.server.interruptions import CaseSkipped, FailedAtOnce, PreconditionNotMet
from contract_tests.server.model.outcomes import Reference
from contract_tests.server.probe import Probe
from contract_tests.server.properties import Counterexample, run_machine
from contract_tests.server.reading import fail_code_at_once
from contract_tests.server.traffic import steps
from contract_tests.server.traffic.bodies import INVALID, PLAIN, UNREACHABLE_URL
from contract_tests.server.traffic.scenarios import Scenario
from contract_tests.server.traffic.setup import Setup
from contract_tests.server.traffic.verdicts import Findings

_CODES: Final = ("GENERATION_FAILED", "NSFW_DETECTED", "MODEL_UNAVAILABLE")
_STATES: Final = (
    "STA-3", "STA-4", "STA-5", "STA-6", "STA-7", "STA-8", "STA-9", "STA-10",
)  # fmt: skip
_STEP_S: Final = 3.0
_LONGEST: Final = 100  # steps
_BOTH: Final = ("own", "other")
_REACTIONS: Final = ((), ((200, 0.0),), ((500, 0.0),), ((404, 0.0), (503, 0.0)), ((202, 0.0),) * 5)


class Clients(RuleBasedStateMachine):
    """A state machine whose rules are the steps of clients; the model predicts the answers."""

    start: ClassVar[Callable[[Setup], "Session"]]
    tasks: Bundle[str] = Bundle("tasks")

    @initialize(rate_limit=st.sampled_from((10_000, 10_000, 12)), max_tasks=st.integers(1, 3),
                images_paid=st.sampled_from((None, None, 4)))  # fmt: skip
    def begin(self, rate_limit: int, max_tasks: int, images_paid: int | None) -> None:
        self.session = type(self).start(
            Setup(keys=_BOTH, rate_limit=rate_limit, max_tasks=max_tasks, images_paid=images_paid)
        )

    @rule(
        target=tasks,
        key=st.sampled_from(("own", "own", "other")),
        outer=st.fixed_dictionaries(
            {}, optional={"provider": st.sampled_from(("auto", "value", "official"))}
        ),
        inner=st.fixed_dictionaries(
            {},
            optional={
                "num_images": st.sampled_from((1, 2, 4)),
                "aspect_ratio": st.sampled_from(("1:1", "3:2", "2:3")),
            },
        ),
        cause=st.sampled_from(("", "", "", "moderated", "unreachable")),
        receiver=st.sampled_from(("", "", "kit", "kit", "dead")),
        reactions=st.sampled_from(_REACTIONS),
    )
    def submit(
        self,
        key: str,
        outer: dict[str, Any],
        inner: dict[str, Any],
        cause: str,
        receiver: str,
        reactions: tuple[tuple[int, float], ...],
    ) -> str | MultipleResults[str]:
        given = {"mode": "gpt-image-1", "prompt": PLAIN, **inner}
        if cause == "moderated":
            given["prompt"] = "a scene of gore"
        elif cause:
            given["image_urls"] = [UNREACHABLE_URL]
        kind = {"request_type": "callback"} if receiver else {}
        name = self.session.new_name()
        self.session.do(
            steps.Submit(
                task=name,
                key=key,
                body={**kind, **outer, "input": given},
                receiver=receiver,
                reactions=reactions if receiver == "kit" else (),
                references=(Reference.UNREACHABLE,) if cause == "unreachable" else (),
                is_moderated=cause == "moderated",
            )
        )
        return name if self.session.has(name) else multiple()

    @rule(key=st.sampled_from(_BOTH), body=st.sampled_from(INVALID))
    def submit_invalid(self, key: str, body: dict[str, Any]) -> None:
        self.session.do(steps.Submit(task="invalid", key=key, body=body))

    @rule(task=tasks)
    def poll(self, task: str) -> None:
        self.session.do(steps.Poll(task=task))

    @rule(task=tasks, key=st.sampled_from((*_BOTH, "none")))
    def poll_with_any_key(self, task: str, key: str) -> None:
        self.session.do(steps.Poll(task=task, key=key))

    @rule(key=st.sampled_from((*_BOTH, "none")))
    def read_balance(self, key: str) -> None:
        self.session.do(steps.ReadBalance(key=key))

    @rule(task=tasks)
    def check_callbacks(self, task: str) -> None:
        self.session.do(steps.CheckCallbacks(task=task))

    @rule(task=tasks, code=st.sampled_from((None, *_CODES)))
    def finish(self, task: str, code: str | None) -> None:
        state = "success" if code is None else "failed"
        self.session.do(steps.Poll(task=task))
        self.session.do(steps.Finish(task=task, state=state, fail_code=code))
        self.session.do(steps.Poll(task=task))

    @rule(seconds=st.sampled_from((0.001, 0.5, 2, 10, 30, 60, 120, 86_400, 16 * 86_400)))
    def pass_time(self, seconds: float) -> None:
        self.session.do(steps.PassTime(seconds=seconds))

    @rule(task=tasks, offset_s=st.sampled_from((-0.001, 0.0, 0.001, 30.0, 30.001)))
    def pass_to_end(self, task: str, offset_s: float) -> None:
        self.session.do(steps.PassToEnd(task=task, offset_s=offset_s))
        self.session.do(steps.Poll(task=task))
        self.session.do(steps.CheckCallbacks(task=task))

    @rule(task=tasks)
    def download_expired(self, task: str) -> None:
        if self.session.has_expired(task):  # Drawing a picture is slow, so scenarios do that.
            self.session.do(steps.Download(task=task))


class Session:
    """The steps that one run of the machine has played, and their findings."""

    def __init__(self, findings: Findings, probe: Probe, setup: Setup) -> None:
        self._findings = findings
        self._probe = probe
        self._begin = len(probe.events)
        self._setup = setup
        self._player = findings.player(Scenario(setup=setup, steps=()))
        self._played: list[steps.Step] = []

    def do(self, step: steps.Step) -> None:
        """Play a step; if a claim fails, keep the finding and raise Counterexample.

        Without a control plane, some findings are warnings only, and the rest is played as well.
        """
        self._played.append(step)
        if not self._player.do(step) and self._probe.target.has_control:
            self.end()
            raise Counterexample

    def end(self) -> None:
        """Keep the findings of the steps that were played."""
        scenario = Scenario(setup=self._setup, steps=tuple(self._played))
        self._findings.add(self._player, scenario, begin=self._begin)

    def new_name(self) -> str:
        return f"task-{len(self._played)}"

    def has(self, name: str) -> bool:
        return self._player.task(name) is not None

    def are_final(self, names: list[str]) -> bool:
        tasks = [self._player.task(name) for name in names]
        return all(task is not None and task.is_frozen for task in tasks)

    def has_expired(self, name: str) -> bool:
        task = self._player.task(name)
        return task is not None and self._player.model.is_downloadable(task) is False


def _in_any_order(probe: Probe) -> None:
    if not probe.target.has_other_key:
        raise CaseSkipped("the server accepts one key only")
    findings = Findings(probe)
    sessions: list[Session] = []

    def start(setup: Setup) -> Session:
        sessions.append(Session(findings, probe, setup))
        return sessions[-1]

    class OfThisProbe(Clients):
        def teardown(self) -> None:
            if not findings.has_failed:
                self.session.end()

    OfThisProbe.start = staticmethod(start)
    try:
        run_machine(probe, OfThisProbe, max_examples=30, steps=25)
    finally:
        findings.note()


def _one_key(probe: Probe) -> None:
    _follow(probe, ("own",), calls_back=False)


def _two_keys(probe: Probe) -> None:
    if not probe.target.has_other_key:
        raise CaseSkipped("the server accepts one key only")
    _follow(probe, _BOTH, calls_back=True)


def _follow(probe: Probe, keys: tuple[str, ...], *, calls_back: bool) -> None:
    """Poll two tasks of each key until final and once more, in real time without control."""
    findings = Findings(probe)
    session = Session(findings, probe, Setup(keys=keys))
    names = []
    try:
        for key in keys:
            for fails in (False, True):
                names.append(name := session.new_name())
                session.do(_followed(name, key, fails=fails, calls_back=calls_back))
                if not session.has(name):
                    raise _not_accepted(probe)
        for name in names:
            for key in keys:
                session.do(steps.Poll(task=name, key=key))
        for _ in range(_LONGEST):
            session.do(steps.PassTime(seconds=_STEP_S))
            was_final = session.are_final(names)
            for name in names:
                session.do(steps.Poll(task=name))
                session.do(steps.CheckCallbacks(task=name))
            if was_final:
                session.end()
                return
        raise PreconditionNotMet(f"the tasks were not final in {_LONGEST * _STEP_S:g} s")
    except Counterexample:
        return
    finally:
        findings.note()


def _not_accepted(probe: Probe) -> PreconditionNotMet:
    last = probe.events[-1]
    if isinstance(last, HttpExchange):
        code = fail_code_at_once(Answer(response=last.response, event=len(probe.events) - 1))
        if code is not None:
            return FailedAtOnce(code)
    return PreconditionNotMet("a submit was not accepted")


def _followed(name: str, key: str, *, fails: bool, calls_back: bool) -> steps.Submit:
    given: dict[str, Any] = {"mode": "gpt-image-1", "prompt": PLAIN}
    if fails:
        given["image_urls"] = [UNREACHABLE_URL]
    kind = {"request_type": "callback"} if calls_back else {}
    return steps.Submit(
        task=name,
        key=key,
        body={**kind, "input": given},
        receiver="kit" if calls_back else "",
        references=(Reference.UNREACHABLE,) if fails else (),
    )


CASES = (
    Case(
        id="S-STA-201",
        title="tasks keep the contract for any order of requests",
        clauses=(*_STATES, "AUTH-4", "LIM-2", "CB-1"),
        sends="submits, status requests, reads of the balance and steps of time in random order,"
        " with two keys, near both limits, with receivers that accept, reject or are dead",
        expects="what the model of the contract predicts: states that only move forward, final"
        " responses that never change, members only in the right states, exact times and"
        " balances, separate keys, 429 exactly at the limits, callbacks at their instants",
        run=_in_any_order,
        is_slow=True,
        images=4,
        worst_images=4,
        needs_control=True,
        needs_receiver=True,
        provokes=(402, 429),
    ),
    Case(
        id="S-STA-202",
        title="tasks that are polled from their submit until after their end keep the contract",
        clauses=_STATES,
        sends="two submits, one of which must fail, and status requests every 3 s",
        expects="states that only move forward, final responses that never change, members only in"
        " the right states, plausible times",
        run=_one_key,
        images=1,
        worst_images=2,
        time=Time.ONE_GENERATION,
        is_smoke=True,
    ),
    Case(
        id="S-STA-203",
        title="callback tasks of two keys keep the contract",
        clauses=(*_STATES, "AUTH-4", "CB-1"),
        sends="two submits of each key, status requests with both keys",
        expects="as S-STA-202; separate keys, and callbacks equal to the status responses",
        run=_two_keys,
        images=2,
        worst_images=4,
        time=Time.ONE_GENERATION,
        needs_receiver=True,
        loopback_only="S-STA-202 and the S-CB cases test the same at lower cost",
    ),
)
