"""Whatever rules there are and in whatever order things come, a dumb model says the same."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mock_server.domain.journal import Operation
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput

Json = dict[str, Any]
PROMPTS = ["a cat", "a dog", "a catalogue"]

nths = st.none() | st.integers(1, 4) | st.sampled_from(["2..3", "every 2", "every 3"])
matches = st.fixed_dictionaries(
    {},
    optional={
        "operation": st.sampled_from(["submit", "status", ["submit", "status"]]),
        "prompt": st.sampled_from(["cat", "dog"]),
        "nth": nths,
        "times": st.integers(1, 3),
    },
)
written = st.builds(
    lambda match, status: {"match": match, "apply": {"refuse": {"status": status}}},
    matches,
    st.integers(400, 599),
)


def parsed(rule: Json) -> RuleDefinition:
    return parse_rule(rule, "rule", {})


class Model:
    """Walks through plain dictionaries, and counts."""

    def __init__(self) -> None:
        self.rules: list[Json] = []
        self.counts: list[list[int]] = []
        self.queue: list[list[Any]] = []

    def put(self, rules: list[Json]) -> None:
        self.rules, self.counts = list(rules), [[0, 0] for _ in rules]

    def expected(self, operation: str, prompt: str) -> int | None:
        for each in self.queue:
            if self.fits(each[0], operation, prompt):
                each[1] -= 1
                if each[1] == 0:
                    self.queue.remove(each)
                return int(each[0]["apply"]["refuse"]["status"])
        for rule_, count in zip(self.rules, self.counts, strict=True):
            if not self.fits(rule_, operation, prompt):
                continue
            count[0] += 1
            match = rule_["match"]
            if not self.is_turn(match.get("nth"), count[0]) or count[1] >= match.get("times", 99):
                continue
            count[1] += 1
            return int(rule_["apply"]["refuse"]["status"])
        return None

    def fits(self, rule_: Json, operation: str, prompt: str) -> bool:
        wanted = rule_["match"].get("operation", operation)
        return operation in wanted and rule_["match"].get("prompt", "") in prompt

    def is_turn(self, nth: int | str | None, count: int) -> bool:
        table = {"2..3": {2, 3}, "every 2": set(range(2, 99, 2)), "every 3": set(range(3, 99, 3))}
        return nth is None or nth == count or count in table.get(str(nth), set())


class Precedence(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.book = RuleBook(1, "0" * 16)
        self.model = Model()

    @rule(rules=st.lists(written, max_size=3))
    def put(self, rules: list[Json]) -> None:
        self.book.replace([parsed(each) for each in rules])
        self.model.put(rules)

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        shown = [
            {"id": each.id, **each.definition.written, "applied": each.applied}
            for each in self.book.rules
        ]
        kept = data.draw(
            st.lists(st.sampled_from(range(len(shown))), unique=True) if shown else st.just([])
        )
        self.book.replace([parsed(shown[at]) for at in kept])
        self.model.rules = [self.model.rules[at] for at in kept]
        self.model.counts = [self.model.counts[at] for at in kept]

    @rule(added=written)
    def add(self, added: Json) -> None:
        self.book.add(parsed(added))
        self.model.rules.append(added)
        self.model.counts.append([0, 0])

    @rule(match=st.sampled_from([{}, {"operation": "status"}]), count=st.integers(1, 3))
    def queue(self, match: Json, count: int) -> None:
        queued = {"match": match, "apply": {"refuse": {"status": 418}}}
        self.book.put_next(parsed(queued), count)
        self.model.queue.append([queued, count])

    @rule(operation=st.sampled_from(["submit", "status"]), prompt=st.sampled_from(PROMPTS))
    def ask(self, operation: str, prompt: str) -> None:
        asked = RuleInput(operation=Operation(operation), prompt=prompt, subject=prompt)
        chosen = self.book.match(asked)
        status = chosen.effect.rejection.status if chosen and chosen.effect.rejection else None

        assert status == self.model.expected(operation, prompt)

    @invariant()
    def every_rule_shows_how_often_it_applied(self) -> None:
        assert [each.applied for each in self.book.rules] == [n for _, n in self.model.counts]


TestPrecedence = Precedence.TestCase


def lucky(seed: int, asked: list[str], probability: float = 0.5) -> list[tuple[str, bool]]:
    rule_ = {"match": {"probability": probability}, "apply": {"wire": "close"}}
    book = RuleBook(seed, "0" * 16)
    book.replace([parsed(rule_)])
    return [
        (subject, book.match(RuleInput(operation=Operation.STATUS, subject=subject)) is not None)
        for subject in asked
    ]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.randoms(), st.integers(0, 2**32))
def test_chance_does_not_depend_on_the_order(asked: list[str], random: Any, seed: int) -> None:
    shuffled = random.sample(asked, len(asked))

    assert sorted(lucky(seed, asked)) == sorted(lucky(seed, shuffled))


def test_chance_is_about_what_was_asked_for_and_another_with_another_seed() -> None:
    asked = [f"task {number}" for number in range(2000)]
    hits = sum(hit for _, hit in lucky(1, asked, 0.3))

    assert 500 < hits < 700
    assert lucky(1, asked) == lucky(1, asked)
    assert lucky(1, asked) != lucky(2, asked)


@given(st.lists(st.sampled_from("ab"), max_size=20))
def test_times_each_bounds_what_meets_one_subject(asked: list[str]) -> None:
    book = RuleBook(1, "0" * 16)
    book.replace([parsed({"match": {"times_each": 2}, "apply": {"wire": "close"}})])
    hits = [
        each for each in asked if book.match(RuleInput(operation=Operation.STATUS, subject=each))
    ]

    assert {each: hits.count(each) for each in "ab"} == {
        each: min(2, asked.count(each)) for each in "ab"
    }


def test_two_rules_of_the_same_text_draw_apart() -> None:
    book = RuleBook(1, "0" * 16)
    book.replace([parsed({"match": {"probability": 0.5}, "apply": {"wire": "close"}})] * 2)
    for number in range(400):
        book.match(RuleInput(operation=Operation.STATUS, subject=str(number)))

    assert all(60 < rule_.applied < 240 for rule_ in book.rules)
