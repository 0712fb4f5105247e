"""Generated sequences of requests, some damaged, cut anywhere: both ways give the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mock_server.both_ways.conversation import PROMPT, Conversation
from tests.mock_server.both_ways.twins import Twins, outcome_of
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Json
from tests.properties import examples

# What matters to a parser, and some of what does not.
ODD_BYTES = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b"?", b"#", b"%", b"&", b"=", b"/"]
ODD_BYTES += [b"\x80", b"\x7f", b"x", b"0", b",", b";", b"\r\n\r\n", b"HTTP/1.1", b"%2F", b"+"]
HEADERS = [
    "Connection: keep-alive", "Connection: Keep-Alive", "Connection: close", "Connection: upgrade",
    "Upgrade: h2c", "Expect: 100-continue", "Expect: x", "X-One: 1", "X-One: 2", "X-Empty:",
    "Content-Type: text/plain", "Content-Length: 0", "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity", "Host: other.test", "Authorization: Bearer sk-invalid",
    "Origin: http://page.test", "Proxy-Connection: close", "Keep-Alive: timeout=1",
    "Accept-Encoding: gzip", "TE: trailers",
]  # fmt: skip
TARGETS = [
    f"GET {BALANCE}", f"GET {BALANCE}?", f"GET {STATUS}?taskId=x", f"GET {STATUS}?taskId=TASK",
    f"GET {STATUS}?taskId=%74", f"GET {STATUS}?a=b&taskId=TASK", f"GET {STATUS}", f"HEAD {BALANCE}",
    f"OPTIONS {STATUS}", f"POST {BALANCE}", f"PUT {SUBMIT}", "GET /", "GET /_mock/clock",
    f"GET http://mock.test{BALANCE}", f"GET {BALANCE.replace('a', '%61')}", "OPTIONS *",
    f"GET {STATUS.replace('-1', '-9')}?taskId=x",
]  # fmt: skip
BODIES = [
    PROMPT, b"{}", b"", b"{", b'{"input":{"prompt":"[[mock fail=NSFW]]"}}', b" " + PROMPT,
    b'{"input":{"prompt":"\\u00e9"}}', b'{"input":{"prompt":"a"},"image_urls":[]}',
]  # fmt: skip
RULES: list[Json] = [
    {"match": {"operation": "status", "nth": 2}, "apply": {"refuse": {"status": 503}}},
    {"match": {"operation": "balance", "header": {"X-One": "1"}}, "apply": {"latency": "1s"}},
    {"match": {"prompt": "fox", "times": 1}, "apply": {"wire": "half-body"}},
    {"match": {"prompt_regex": "f.x"}, "apply": {"outcome": {"fail": "NSFW"}}},
    {"match": {"operation": "callback"}, "apply": {"callback": "drop"}},
    {"match": {"probability": 0.5}, "apply": {"refuse": {"status": 429}}},
]
SETTINGS: list[Json] = [
    {}, {}, {"rate_limit": 3}, {"max_concurrent": 2}, {"balance": 0.08}, {"strict": True},
    {"generation_time": 0}, {"profile": "hostile"},
]  # fmt: skip
VERSIONS = [" HTTP/1.1"] * 8 + [" HTTP/1.0", " HTTP/1.2", "", "  HTTP/1.1", " HTTP/1.1 "]


USUAL = [(f"POST {SUBMIT}", PROMPT), (f"GET {STATUS}?taskId=TASK", None), (f"GET {BALANCE}", None)]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is valid, or whose members contradict one another."""

    target: str
    version: str = " HTTP/1.1"
    headers: tuple[str, ...] = ()
    body: bytes | None = None

    def encode(self, t: Conversation, task_id: str) -> bytes:
        line = self.target.replace("TASK", task_id) + self.version
        return t.request(line, *self.headers, body=self.body)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A request in which some bytes are replaced."""

    request: Request
    place: int
    removed_bytes: int
    inserted: bytes

    def encode(self, t: Conversation, task_id: str) -> bytes:
        whole = self.request.encode(t, task_id)
        place = self.place % len(whole)
        return whole[:place] + self.inserted + whole[place + self.removed_bytes :]


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests of a connection, where their bytes are cut, and after which cuts it waits."""

    settings: Json
    rules: Sequence[Json]
    requests: Sequence[Request | Damaged]
    cuts: Sequence[tuple[int, bool]]
    half_closes: bool

    @property
    def key(self) -> str:
        """A key that is the same in every run, because chance depends on it."""
        return f"sk-generated-{sha256(repr(self).encode()).hexdigest()}"

    @property
    def has_expectation(self) -> bool:
        """Whether a response may be 100 Continue, which depends on when the body arrives."""
        return "Expect" in repr(self.requests)


usual = st.builds(
    lambda line, headers: Request(line[0], headers=headers, body=line[1]),
    st.sampled_from(USUAL),
    st.sampled_from([(), ("Connection: keep-alive",), ("X-One: 1",)]),
)
headers = st.lists(st.sampled_from(HEADERS), max_size=2).map(tuple)
odd = st.builds(Request, st.sampled_from(TARGETS), st.sampled_from(VERSIONS), headers)
odd |= st.builds(
    Request,
    st.just(f"POST {SUBMIT}"),
    st.sampled_from(VERSIONS),
    headers,
    st.sampled_from(BODIES),
)
damaged = st.builds(
    Damaged,
    usual | odd,
    st.integers(0, 300),
    st.integers(0, 3),
    st.just(b"") | st.sampled_from(ODD_BYTES),
)
connections = st.builds(
    Sent,
    st.sampled_from(SETTINGS),
    st.just([]) | st.lists(st.sampled_from(RULES), max_size=2),
    st.lists(usual | odd | damaged, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 1_500), st.booleans()), max_size=5),
    st.booleans(),
)


def talk_of(sent: Sent, cuts: Sequence[tuple[int, bool]]) -> Callable[[Conversation], None]:
    def talk(t: Conversation) -> None:
        # Everything begins anew each time, also for keys that result from damage.
        assert t.api.control("DELETE", "sandboxes").status_code == 204
        task_id = t.new_task()
        if sent.settings:
            t.api.change(**sent.settings)
        for rule in sent.rules:
            t.api.told("POST", "rules", rule)
        data = b"".join(request.encode(t, task_id) for request in sent.requests)
        start = 0
        for cut, pauses in sorted(cuts):
            if start < cut < len(data):
                t.send(data[start:cut])
                start = cut
            if pauses:
                t.settle()
        t.send(data[start:])
        if sent.half_closes:
            t.half_close()

    return talk


@pytest.mark.deep
@examples(200)
@given(sent=connections)
def test_generated_connections_are_served_the_same(twins: Twins, sent: Sent) -> None:
    twins.compare(talk_of(sent, sent.cuts), sent.key)


@pytest.mark.deep
@examples(100)
@given(sent=connections.filter(lambda sent: bool(sent.cuts) and not sent.has_expectation))
def test_it_makes_no_difference_where_data_is_cut(twins: Twins, sent: Sent) -> None:
    for server in (twins.direct, twins.ordinary):
        whole, _ = outcome_of(server, talk_of(sent, []), sent.key)
        in_parts, _ = outcome_of(server, talk_of(sent, sent.cuts), sent.key)

        for name in ("received", "is_closed_by_server", "sandboxes", "journals", "callbacks"):
            assert getattr(in_parts, name) == getattr(whole, name)
