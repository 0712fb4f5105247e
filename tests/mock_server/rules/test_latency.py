"""Added latency: drawn by the seed, within its bounds, felt in real time only."""

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.chance import draw
from mock_server.domain.latency import Latency
from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleInput
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver

LEAST_MS = 20  # of 40: a timer of the loop may be a little early

milliseconds = st.integers(0, 3_600_000)


def parsed(written: object) -> Latency:
    latency = parse_rule({"apply": {"latency": written}}, "rule", {}).effect.latency
    assert latency is not None
    return latency


def drawn(latency: Latency, number: int) -> int:
    return latency.drawn_ms(draw(1, "0" * 16, number, "latency"))


@given(milliseconds, st.integers())
def test_a_fixed_one_is_always_the_same(length_ms: int, number: int) -> None:
    assert drawn(parsed(f"{length_ms}ms"), number) == length_ms


@given(st.tuples(milliseconds, milliseconds).map(sorted), st.integers())
def test_a_uniform_one_stays_within_its_bounds(bounds: list[int], number: int) -> None:
    written = {"uniform": [f"{each}ms" for each in bounds]}

    assert bounds[0] <= drawn(parsed(written), number) <= bounds[1]


@given(milliseconds, milliseconds, st.floats(0.001, 10), st.integers())
def test_a_lognormal_one_never_passes_its_cap(
    median_ms: int, max_ms: int, sigma: float, number: int
) -> None:
    written = {"lognormal": {"median": f"{median_ms}ms", "sigma": sigma, "max": f"{max_ms}ms"}}

    assert 0 <= drawn(parsed(written), number) <= max_ms


def test_a_lognormal_one_has_its_median_and_a_long_tail() -> None:
    written = {"lognormal": {"median": "300ms", "sigma": 0.5, "max": "3s"}}
    lengths = [drawn(parsed(written), number) for number in range(4000)]

    assert 285 < median(lengths) < 315
    assert sum(lengths) / len(lengths) > 320


def test_a_rule_draws_another_one_each_time_and_the_same_again() -> None:
    rule = {"apply": {"latency": {"uniform": ["1ms", "1h"]}}}
    stories = []
    for _ in range(2):
        book = RuleBook(5, "0" * 16)
        book.replace([parse_rule(rule, "rule", {})])
        asked = RuleInput(operation=Operation.BALANCE)
        stories.append([applied.latency_ms for _ in range(9) if (applied := book.match(asked))])

    assert stories[0] == stories[1]
    assert len(set(stories[0])) == 9


def test_every_answer_waits_and_the_sandboxs_clock_does_not(api: Api, receiver: Receiver) -> None:
    api.told("POST", "rules", {"apply": {"latency": "40ms"}})
    before_ms = api.now_ms()
    task_id = api.submit("[[mock pending=0 processing=0]]", callback_url=receiver.url())
    api.http.get(api.result_urls(task_id)[0])
    api.balance()
    api.control("GET", f"tasks/{task_id}/wait?timeout=0")
    receiver.wait_for(1)

    entries = api.told("GET", "journal/wait?count=5&timeout=20")["entries"]
    assert api.now_ms() == before_ms
    requests = [each for each in entries if each["operation"] != "callback"]
    assert {each["operation"] for each in requests} == {"submit", "status", "result", "balance"}
    assert all(each["duration_ms"] >= LEAST_MS for each in requests)
    assert {each["fault"] for each in entries} == {"latency"}


def test_latency_goes_with_a_refusal_or_a_fault(api: Api) -> None:
    api.told("POST", "next", {"apply": {"latency": "40ms", "refuse": {"status": 503}}})
    api.told("POST", "next", {"apply": {"latency": "40ms", "wire": "html-error"}})

    refused, broken = api.ask("task_1"), api.ask("task_1")

    assert (refused.status_code, broken.status_code) == (503, 502)
    entries = api.told("GET", "journal")["entries"]
    assert [each["fault"] for each in entries] == [
        "refuse 503, latency",
        "latency, wire html-error",
    ]
    assert all(each["duration_ms"] >= LEAST_MS for each in entries)
