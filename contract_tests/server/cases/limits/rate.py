"""LIM-1, LIM-3 and LIM-4 with a small configured limit, so that its edges can be tested."""

from collections.abc import Callable
from functools import partial

from hypothesis import strategies as st

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.properties import for_all
from contract_tests.server.reading import result_urls

WINDOW_MS = 60_000
_OTHER_MODEL = STATUS.replace("gpt-image-1", "no-such-model")
_ROOM = {"max_concurrent": 1000}  # The other limit must not be reached first.


def _balance(probe: Probe, key: str = "own") -> Answer:
    return probe.send("GET", BALANCE, key=key)


def _check(probe: Probe, clause: str, answer: Answer, status: int, why: str) -> bool:
    return probe.check(
        clause, answer.status == status, expected=f"{why}: HTTP {status}", seen=answer
    )


def _any_window(probe: Probe) -> None:
    """Send requests at random instants: each is accepted if the 60 s before it allow it."""

    def judge(example: tuple[int, list[int]]) -> None:
        limit, gaps = example
        probe.reset()
        probe.change_settings(rate_limit=limit)
        model = _WindowModel(limit)
        for gap in gaps:
            if gap:
                probe.pass_time(gap / 1000)
            clause, status, why = model.expect(gap)
            if not _check(probe, clause, _balance(probe), status, why):
                return

    gaps = st.one_of(
        st.just(0), st.integers(0, 30_000), st.sampled_from((1, 29_999, 59_999, 60_000, 60_001))
    )
    times = st.lists(gaps, min_size=4, max_size=12)
    for_all(probe, st.tuples(st.integers(1, 4), times), judge, fixed=(), max_examples=30)


class _WindowModel:
    """Computes the expected responses from the instants of all requests."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._now = 0
        self._admitted: list[int] = []
        self._refused: list[int] = []

    def expect(self, gap_ms: int) -> tuple[str, int, str]:
        """Return the expected clause, status and reason for a request `gap_ms` later."""
        self._now += gap_ms
        used = self._in_window(self._admitted)
        why = f"{used} of {self._limit} were accepted in the 60 s up to {self._now} ms"
        if used >= self._limit:
            self._refused.append(self._now)
            return "LIM-3", 429, why
        self._admitted.append(self._now)
        return "LIM-4" if self._in_window(self._refused) else "LIM-3", 200, why

    def _in_window(self, instants: list[int]) -> int:
        return sum(self._now - instant < WINDOW_MS for instant in instants)


def _exactly_so_many(probe: Probe) -> None:
    for limit in (1, 3):
        probe.reset()
        probe.change_settings(rate_limit=limit)
        statuses = [_balance(probe).status for _ in range(limit + 1)]
        probe.check(
            "LIM-1",
            statuses == [200] * limit + [429],
            expected=f"the configured {limit} requests are accepted, the next gets HTTP 429",
            seen=f"HTTP {statuses}",
        )
        probe.pass_time(59.999)
        _check(probe, "LIM-3", _balance(probe), 429, "a window of 60 s is not over after 59.999 s")
        probe.pass_time(0.001)
        _check(probe, "LIM-3", _balance(probe), 200, "after 60 s, requests are accepted again")


def _paths_together(probe: Probe) -> None:
    task_id = probe.submit_task()
    asked: dict[str, Callable[[], Answer]] = {
        "a submit": probe.submit,
        "a status request": partial(probe.read_status, task_id),
        "a request for the balance": partial(_balance, probe),
    }
    probe.change_settings(rate_limit=1, **_ROOM)
    for first, use in asked.items():
        for second, try_again in asked.items():
            probe.pass_time(60)
            if not _check(probe, "LIM-3", use(), 200, f"{first} in a new window is accepted"):
                return
            why = f"{first} and {second} count together"
            _check(probe, "LIM-3", try_again(), 429, why)


def _keys_apart(probe: Probe) -> None:
    probe.require_second_key()
    probe.change_settings(rate_limit=1)
    _balance(probe)
    _check(probe, "LIM-3", _balance(probe), 429, "the limit of this key is exhausted")
    _check(probe, "LIM-3", _balance(probe, "other"), 200, "another key has its own limit")


def _downloads(probe: Probe) -> None:
    probe.require_results()
    ended = probe.poll_until_final(probe.submit_task())
    urls = result_urls(ended)
    if not urls:
        raise PreconditionNotMet(f"there is no result to download: {ended.shown}")
    url = urls[0]
    probe.pass_time(60)
    probe.change_settings(rate_limit=2)
    for _ in range(3):
        probe.send("GET", url, key="none")
        probe.send("GET", url)
    for _ in range(2):
        _check(probe, "LIM-3", _balance(probe), 200, "downloads do not count")
    _check(probe, "LIM-3", _balance(probe), 429, "the limit is exhausted")
    answer = probe.send("GET", url, key="none")
    probe.check(
        "LIM-3",
        answer.status == 200,
        expected="a result can be downloaded after the limit is exhausted: HTTP 200",
        seen=f"HTTP {answer.status}",
        at=answer,
    )


def _what_counts(probe: Probe) -> None:
    probe.change_settings(rate_limit=1)
    counted: dict[str, tuple[Callable[[], Answer], int]] = {
        "a malformed submit": (partial(probe.send, "POST", GENERATE, body={}), 400),
        "a status request without taskId": (partial(probe.send, "GET", STATUS), 400),
        "a status request for an unknown task": (partial(probe.read_status, "task_0"), 404),
        "a request for an unknown model": (
            partial(probe.send, "GET", _OTHER_MODEL, query={"taskId": "task_0"}),
            404,
        ),
    }
    for what, (send, status) in counted.items():
        first = send()
        if _check(probe, "LIM-4", first, status, f"{what} in a new window is rejected as such"):
            _check(probe, "LIM-4", _balance(probe), 429, f"{what} counts")
        probe.pass_time(60)


def _what_does_not_count(probe: Probe) -> None:
    probe.change_settings(rate_limit=2)
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic b3duOm93bg=="}):
        for path in (BALANCE, STATUS):
            probe.send("GET", path, headers=headers, key="none")
    for _ in range(2):
        _check(probe, "LIM-4", _balance(probe), 200, "requests without a valid key do not count")
    for _ in range(5):
        _check(probe, "LIM-4", _balance(probe), 429, "the limit is exhausted")
        probe.pass_time(12)
    for _ in range(2):
        _check(
            probe,
            "LIM-4",
            _balance(probe),
            200,
            "60 s after the last accepted request, requests are accepted",
        )


CASES = (
    Case(
        id="S-LIM-003",
        title="exactly the configured number of requests is accepted, and again after 60 s",
        clauses=("LIM-1", "LIM-3"),
        sends="requests for the balance up to the limit, one more, and others 60 s later",
        expects="one more gets HTTP 429, also after 59.999 s, and is accepted after 60 s",
        run=_exactly_so_many,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-004",
        title="submits, status requests and requests for the balance count together",
        clauses=("LIM-3",),
        sends="each pair of these with a limit of one",
        expects="the second gets HTTP 429",
        run=_paths_together,
        images=4,
        worst_images=7,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-005",
        title="each key has its own rate limit",
        clauses=("LIM-3",),
        sends="requests of one key over its limit, and one of another key",
        expects="the request with the other key is accepted",
        run=_keys_apart,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-006",
        title="downloads of results do not count, and work after the limit is exhausted",
        clauses=("LIM-3",),
        sends="downloads of a result before and after the limit is exhausted",
        expects="HTTP 200 for all of them",
        run=_downloads,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-007",
        title="rejected requests count as well",
        clauses=("LIM-4",),
        sends="a request that gets 400 or 404 and one more, with a limit of one",
        expects="the second gets HTTP 429",
        run=_what_counts,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-008",
        title="requests that fail authentication or got 429 do not count",
        clauses=("LIM-4",),
        sends="requests without a key, then requests every 12 s at the limit",
        expects="the configured number is accepted, and again 60 s later",
        run=_what_does_not_count,
        needs_control=True,
        provokes=(429,),
    ),
    Case(
        id="S-LIM-101",
        title="in any 60 s the limit is never exceeded, and no request within it is rejected",
        clauses=("LIM-3", "LIM-4"),
        sends="requests for the balance at random instants, with limits of 1 to 4",
        expects="exactly the requests that the preceding 60 s allow are accepted",
        run=_any_window,
        is_slow=True,
        needs_control=True,
        provokes=(429,),
    ),
)
