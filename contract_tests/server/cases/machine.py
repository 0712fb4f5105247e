"""Promises that hold for any order of requests: a state machine over several keys and tasks."""

from collections.abc import Callable
from itertools import count
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, multiple, rule

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.walk import KnownTask, Walk
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.properties import noted, run_machine

_ENDS = (
    {"state": "success"},
    {"state": "failed", "failCode": "GENERATION_FAILED", "failMsg": "out of paint"},
)
_STATES = ("STA-3", "STA-4", "STA-5", "STA-6", "STA-7", "STA-8", "STA-9", "STA-10")
_LIMIT = 3  # Concurrent tasks per key.
_STEP_S = 3.0
_LONGEST = 100  # steps


class Clients(RuleBasedStateMachine):
    """A state machine whose rules are the actions of clients; walk.py has the model."""

    start: ClassVar[Callable[[], Walk]]
    tasks: Bundle[KnownTask] = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.walk = type(self).start()

    @rule(
        target=tasks,
        key=st.sampled_from(("own", "own", "other")),
        images=st.sampled_from((1, 2, 4)),
        fails=st.booleans(),
        calls_back=st.booleans(),
    )
    def submit(
        self, key: str, images: int, fails: bool, calls_back: bool  # noqa: FBT001
    ) -> KnownTask | MultipleResults[KnownTask]:  # fmt: skip
        known = self.walk.submit(key, images=images, fails=fails, calls_back=calls_back)
        return multiple() if known is None else known

    @rule(known=tasks)
    def poll(self, known: KnownTask) -> None:
        self.walk.poll(known)

    @rule(known=tasks)
    def peep(self, known: KnownTask) -> None:
        self.walk.peep(known)

    @rule(known=tasks, end=st.sampled_from(_ENDS))
    def finish(self, known: KnownTask, end: dict[str, str]) -> None:
        self.walk.finish(known, end)

    @rule(seconds=st.sampled_from((0.001, 0.5, 2, 10, 30, 120, 86_400)))
    def pass_time(self, seconds: float) -> None:
        self.walk.pass_time(seconds)


def _in_any_order(probe: Probe) -> None:
    if not probe.target.has_other_key:
        raise CaseSkipped("the server accepts one key only")
    names = count()

    class OfThisProbe(Clients):
        start = staticmethod(lambda: Walk(probe, names, _LIMIT))

    run_machine(probe, OfThisProbe, max_examples=30, steps=25)


def _one_key(probe: Probe) -> None:
    noted(probe, lambda: _follow(Walk(probe, count()), ("own",), calls_back=False))


def _two_keys(probe: Probe) -> None:
    if not probe.target.has_other_key:
        raise CaseSkipped("the server accepts one key only")
    noted(probe, lambda: _follow(Walk(probe, count()), ("own", "other"), calls_back=True))


def _follow(walk: Walk, keys: tuple[str, ...], *, calls_back: bool) -> None:
    """Poll two tasks of each key until final and once more, in real time without control."""
    for key in keys:
        for fails in (False, True):
            walk.submit(key, images=1, fails=fails, calls_back=calls_back)
    for known in walk.tasks:
        walk.peep(known)
    for _ in range(_LONGEST):
        walk.pass_time(_STEP_S)
        if all(known.final is not None for known in walk.tasks):
            walk.pass_time(_STEP_S)
            return
    raise PreconditionNotMet(f"the tasks were not final in {_LONGEST * _STEP_S} s")


CASES = (
    Case(
        id="S-STA-201",
        title="tasks keep the contract for any order of requests",
        clauses=(*_STATES, "AUTH-4", "LIM-2", "CB-1"),
        sends="submits, status requests and steps of time in random order, with two keys",
        expects="states that only move forward, final responses that never change, members only in"
        " the right states, plausible times, separate keys, 429 exactly at the limit of tasks",
        run=_in_any_order,
        is_slow=True,
        images=4,
        worst_images=4,
        needs_control=True,
        needs_receiver=True,
        provokes=(429,),
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
