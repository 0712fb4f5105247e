"""The budget of a live run cannot be passed, and its pace stays below a tenth of the limit."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.provider import GENERATE, STATUS
from contract_tests.server.events import Request, Response, build_request
from contract_tests.server.guard import MOST_IMAGES, PRICE_USD, Ledger, LiveGuard, images_of
from contract_tests.server.http_client import Headers
from contract_tests.server.http_world import HttpWorld
from contract_tests.server.interruptions import CaseSkipped
from contract_tests.server.receiver import Receiver
from contract_tests.server.time_limit import TimeLimit

WINDOW_S = 60.0
A_TENTH = 1_000  # requests a minute, LIM-1

budgets = st.decimals(0, 50, places=2)
counts = st.sampled_from([1, 2, 4])
statuses = st.sampled_from([0, 200, 204, 301, 400, 401, 402, 404, 408, 413, 429, 500, 502, 503])


def a_submit(images: object = 1, **members: object) -> Request:
    return build_request("POST", GENERATE, body={"input": {"num_images": images, **members}})


def a_guard(ledger: Ledger) -> LiveGuard:
    return LiveGuard(ledger, clock=lambda: 0.0, sleep=lambda _: None)


@given(budgets, st.lists(st.tuples(counts, statuses), max_size=60))
def test_no_sequence_of_outcomes_passes_the_budget(
    budget: Decimal, submits: list[tuple[int, int]]
) -> None:
    ledger = Ledger(budget)
    guard = a_guard(ledger)
    bought = 0  # images that the service may have made, each answer taken at its worst
    for images, status in submits:
        try:
            guard.before(a_submit(images), 1)
        except CaseSkipped:
            assert (bought + images) * PRICE_USD > budget
            continue
        guard.after(a_submit(images), Response(status=status))
        bought += 0 if 400 <= status < 500 and status != 408 else images

        assert ledger.spent_usd == bought * PRICE_USD
        assert bought * PRICE_USD <= budget


@given(budgets, counts, st.integers(1, 40))
def test_a_burst_is_reserved_as_a_whole_and_stays_spent(
    budget: Decimal, images: int, count: int
) -> None:
    ledger = Ledger(budget)
    try:
        a_guard(ledger).before(a_submit(images), count)
    except CaseSkipped:
        assert images * count * PRICE_USD > budget
        assert ledger.spent_usd == 0
    else:
        assert ledger.spent_usd == images * count * PRICE_USD <= budget


def test_threads_share_one_budget() -> None:
    ledger = Ledger(20 * PRICE_USD)

    def tries(_: int) -> bool:
        try:
            ledger.reserve(1)
        except CaseSkipped:
            return False
        return True

    with ThreadPoolExecutor(16) as executor:
        passed = list(executor.map(tries, range(400)))

    assert passed.count(True) == 20
    assert ledger.spent_usd == 20 * PRICE_USD


def test_the_cost_is_reserved_before_the_submit_leaves() -> None:
    ledger = Ledger(Decimal(10))
    spent_on_arrival = []

    def serve() -> Response:
        spent_on_arrival.append(ledger.spent_usd)
        return Response(status=200)

    with a_world(serve, ledger) as world:
        world.exchange(a_submit(4))

    assert spent_on_arrival == [4 * PRICE_USD]


def test_a_submit_that_does_not_fit_into_the_budget_never_leaves() -> None:
    def serve() -> Response:
        raise AssertionError("it was sent")

    with (
        a_world(serve, Ledger(3 * PRICE_USD)) as world,
        pytest.raises(CaseSkipped, match=r"\$1\.40, but"),
    ):
        world.exchange(a_submit(4))


def test_what_becomes_of_a_submit_whose_answer_is_lost_counts_as_spent() -> None:
    ledger = Ledger(Decimal(10))

    def serve() -> Response:
        return Response(status=0, error="ReadTimeout: nobody answered")

    with a_world(serve, ledger) as world:
        answer = world.exchange(a_submit(2))

    assert answer.error is not None
    assert ledger.spent_usd == 2 * PRICE_USD


def test_a_refused_submit_gives_its_reserve_back() -> None:
    ledger = Ledger(Decimal(10))

    with a_world(lambda: Response(status=400), ledger) as world:
        world.exchange(a_submit(2))

    assert ledger.spent_usd == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(json_values)
def test_a_submit_that_is_not_understood_counts_as_the_dearest(value: object) -> None:
    if type(value) is not int:
        assert images_of(a_submit(value)) == MOST_IMAGES
    assert images_of(build_request("POST", GENERATE, body=value)) == MOST_IMAGES


@given(st.binary(max_size=40))
def test_any_body_of_a_submit_has_a_cost(content: bytes) -> None:
    assert images_of(build_request("POST", GENERATE, content=content)) >= 1


def test_the_older_name_of_the_number_of_images_counts_too() -> None:
    older = build_request("POST", GENERATE, body={"input": {"prompt": "a fox", "nVariants": 4}})

    assert images_of(older) == 4


def test_more_images_than_a_submit_may_ask_for_cost_what_they_would() -> None:
    assert images_of(a_submit(100)) == 100


def test_what_is_no_submit_is_free() -> None:
    assert images_of(build_request("GET", STATUS, query={"taskId": "t"})) == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=400), st.integers(0, 1_500))
def test_any_minute_sees_less_than_a_tenth_of_the_limit(gaps: list[float], rush: int) -> None:
    time = VirtualTime()
    guard = LiveGuard(Ledger(Decimal(0)), clock=lambda: time.now_s, sleep=time.pass_)
    sent = []
    for gap in [*gaps, *([0.0] * rush)]:
        time.pass_(gap)
        guard.before(build_request("GET", STATUS), 1)
        sent.append(time.now_s)

    for first_s, last_s in zip(sent, sent[A_TENTH - 1 :], strict=False):
        assert last_s - first_s > WINDOW_S


class VirtualTime:
    def __init__(self) -> None:
        self.now_s = 0.0

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds


class FakeSender:
    """Answers each request as told, without a network."""

    def __init__(self, serve: Callable[[], Response]) -> None:
        self._serve = serve

    def send(
        self, method: str, url: str, headers: Headers, body: bytes, limit: TimeLimit
    ) -> Response:
        return self._serve()

    def burst(
        self, method: str, url: str, headers: Headers, body: bytes, count: int, limit: TimeLimit
    ) -> tuple[list[int], Response]:
        last = self._serve()
        return [last.status] * count, last


@contextmanager
def a_world(serve: Callable[[], Response], ledger: Ledger) -> Iterator[HttpWorld]:
    with Receiver() as receiver:
        yield HttpWorld(
            FakeSender(serve),
            "http://api.invalid",
            {"own": "sk-0123456789"},
            receiver,
            case_id="S-SUB-901",
            guard=a_guard(ledger),
        )
