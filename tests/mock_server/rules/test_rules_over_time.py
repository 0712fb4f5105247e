"""Rules, the queue of the next and the clock over HTTP, in any order, against a dumb model."""

import json
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.mock_server.e2e.api import STATUS, SUBMIT, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.rules.dumb_model import DIRECTIVES, DumbModel, Effect, Line
from tests.properties import examples

_numbers = count(1)

refusals = st.builds(lambda status: {"refuse": {"status": status}}, st.integers(400, 599))
outcomes = st.fixed_dictionaries(
    {},
    optional={
        "fail": st.sampled_from(["NSFW", "CONTENT_VIOLATION"]),
        "pending": st.integers(0, 3),
        "processing": st.integers(0, 5),
    },
).filter(bool)
applies = st.one_of(
    refusals,
    st.builds(lambda outcome: {"outcome": outcome}, outcomes),
    st.sampled_from(
        [
            {"wire": "empty"},
            {"meaning": "unknown-state"},
            {"meaning": "result-urls-empty"},
            {"meaning": "final-late"},
        ]
    ),
)
plain_matches: dict[str, st.SearchStrategy[object]] = {
    "prompt": st.sampled_from(["cat", "dog", "slow"]),
    "header": st.just({"X-Test": "yes"}),
}
counted_matches: dict[str, st.SearchStrategy[object]] = {
    "nth": st.integers(1, 4) | st.sampled_from(["2..3", "every 2", "every 3"]),
    "times": st.integers(1, 3),
    "times_each": st.integers(1, 2),
}


def needs(apply: Json) -> list[str]:
    if "outcome" in apply:
        return ["submit"]
    return ["status"] if "meaning" in apply else ["submit", "status"]


@st.composite
def written(draw: st.DrawFn, *, is_counted: bool) -> Json:
    """Draw a rule that can be applied somewhere; one that asks for little, so that it often is."""
    apply: Json = draw(applies)
    members = plain_matches | (counted_matches if is_counted else {})
    chosen = draw(st.lists(st.sampled_from(sorted(members)), max_size=2, unique=True))
    match: Json = {name: draw(members[name]) for name in chosen}
    operations = needs(apply)
    if draw(st.booleans()):
        match["operation"] = draw(
            st.lists(st.sampled_from(operations), min_size=1, unique=True)
            | st.sampled_from(operations)
        )
    if "status" in operations and "status" in match.get("operation", operations):
        state = draw(st.sampled_from([None, None, "pending", "processing", "success", "failed"]))
        match |= {} if state is None else {"state": state}
    return {"match": match, "apply": apply}


rules = written(is_counted=True)
headers = st.booleans()
bursts = st.integers(3, 6)
prompts = st.sampled_from(sorted(DIRECTIVES))


def sent(has_header: bool) -> dict[str, str]:  # noqa: FBT001  # drawn
    return {"x-test": "yes"} if has_header else {}


class Rules(RuleBasedStateMachine):
    mock: RunningMock

    @initialize(written=st.lists(rules, min_size=3, max_size=6))
    def begin(self, written: list[Json]) -> None:
        self.api = self.mock.api(f"rules-over-time-{next(_numbers)}")
        self.api.change(generation_time=0)
        self.model = DumbModel()
        self.ids: list[str] = []
        self.put(written)

    @rule(written=st.lists(rules, min_size=1, max_size=4))
    def put(self, written: list[Json]) -> None:
        self.api.told("PUT", "rules", {"rules": written})
        self.model.rules = [Line(each) for each in written]

    @rule(added=rules)
    def add(self, added: Json) -> None:
        self.api.told("POST", "rules", added)
        self.model.rules.append(Line(added))

    @rule(data=st.data())
    def put_back_some_of_what_is_shown_in_any_order(self, data: st.DataObject) -> None:
        shown = self.api.told("GET", "rules")["rules"]
        kept = data.draw(st.permutations(range(len(shown))))
        kept = kept[: data.draw(st.integers(0, len(kept)))]
        self.api.told("PUT", "rules", {"rules": [shown[number] for number in kept]})
        self.model.rules = [self.model.rules[number] for number in kept]

    @rule()
    def clear(self) -> None:
        self.api.told("DELETE", "rules")
        self.model.rules = []

    @rule(queued=written(is_counted=False), times=st.integers(1, 3))
    def queue_next(self, queued: Json, times: int) -> None:
        self.api.told("POST", "next", {**queued, "count": times})
        self.model.queue.append(Line(queued, left=times))

    @rule(prompt=prompts, has_header=headers, times=bursts)
    def submit(self, prompt: str, has_header: bool, times: int) -> None:  # noqa: FBT001  # drawn
        for _ in range(times):
            answer = self.api.send(
                "POST", SUBMIT, body={"input": {"prompt": prompt}}, headers=sent(has_header)
            )
            effect: Effect = ("refused", answer.status_code)
            if answer.status_code == 200:
                effect = ("accepted",) if answer.content else ("empty",)
                self.ids.append(self.api.told("GET", "tasks?limit=1")["tasks"][0]["task_id"])

            assert effect == self.model.submit(prompt, has_header=has_header)

        if self.ids:
            self.poll(0, has_header, times)

    @precondition(lambda self: bool(self.ids))
    @rule(back=st.integers(0, 3), has_header=headers, times=bursts)
    def poll(self, back: int, has_header: bool, times: int) -> None:  # noqa: FBT001  # drawn
        number = max(0, len(self.ids) - 1 - back)
        for _ in range(times):
            answer = self.api.send(
                "GET", STATUS, params={"taskId": self.ids[number]}, headers=sent(has_header)
            )
            effect: Effect = ("refused", answer.status_code)
            if answer.status_code == 200:
                effect = seen(answer.json()["data"]) if answer.content else ("empty",)

            assert effect == self.model.poll(number, has_header=has_header)

    @rule(seconds=st.integers(1, 4))
    def advance(self, seconds: int) -> None:
        self.api.advance(seconds)
        self.model.now += seconds

    @invariant()
    def what_is_shown_is_what_the_model_counts(self) -> None:
        shown = self.api.told("GET", "rules")["rules"]
        queued = self.api.told("GET", "next")["next"]

        assert [each["applied"] for each in shown] == [each.applied for each in self.model.rules]
        assert [each["count"] for each in queued] == [each.left for each in self.model.queue]
        assert len(self.ids) == len(self.model.tasks)


def seen(data: Json) -> Effect:
    if data["state"] not in {"pending", "processing", "success", "failed"}:
        return ("unknown",)
    is_empty = data["state"] == "success" and json.loads(data["resultJson"]) == {"resultUrls": []}
    return (data["state"], data.get("failCode"), is_empty)


@pytest.mark.deep
def test_rules_do_what_the_dumb_model_says(mock: RunningMock) -> None:
    Rules.mock = mock
    run_state_machine_as_test(Rules, settings=examples(100, steps=20))
