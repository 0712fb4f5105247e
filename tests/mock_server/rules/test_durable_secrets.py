"""A durable store gets no API key, and the journal is the same as with any other store."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.control.journal_entry import JournalEntry, redacted
from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.settings import Settings
from mock_server.web.durable_entries import without_key
from mock_server.web.redaction import Redactor
from mock_server.web.request import HeaderBlock, LocalAddress, ProviderRequest, Target
from mock_server.web.response_head import ResponseHead
from mock_server.wiring import MockServer
from tests.mock_server.domain.driven import DEFAULTS, ID
from tests.mock_server.domain.strategies import NOW_MS
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.fake_stores import WritingStore
from tests.mock_server.rules.test_journal_secrets import encoded, keys, live, spelled
from tests.properties import examples

_numbers = count(1)
plain_keys = st.from_regex(r"sk-[A-Za-z0-9._~-]{8,40}", fullmatch=True)


@pytest.fixture(scope="module")
def durable() -> Iterator[RunningMock]:
    make = partial(MockServer, make_store=WritingStore)
    with running(Settings(clock="manual", seed=7), make=make) as mock:
        yield mock


@examples(40)
@given(keys)
@example("plain-key_0.9~")
def test_commands_and_checkpoints_contain_no_key(durable: RunningMock, key: str) -> None:
    api = durable.api(f"sk-{next(_numbers)}-{key}")
    live(api, is_in_kept_texts=False)

    store = durable.app._store
    assert isinstance(store, WritingStore)
    written = store.written()
    api.control("DELETE", "sandbox")

    assert b"[redacted]" in written
    for form in spelled(api.key):
        assert form.encode() not in written


def test_short_key_is_written_nowhere_as_a_key(durable: RunningMock) -> None:
    api = durable.api("k7")
    asked = {"header": {"Authorization": "Bearer k7"}}
    api.told("POST", "rules", {"match": asked, "apply": {"refuse": {"status": 503}}})

    assert api.send("GET", "/api/v1/apikeys/current-balance").status_code == 503

    store = durable.app._store
    assert isinstance(store, WritingStore)
    assert b"Bearer k7" not in store.written()
    api.control("DELETE", "sandbox")


def exchange(
    key: str, body: bytes, answer_body: bytes, query: bytes, path: str = "/api"
) -> tuple[Entry, Entry]:
    """Return the entry of an exchange, and the one that a durable store gets."""
    block = HeaderBlock.of(
        [(b"authorization", f"Bearer {key}".encode()), (b"x-key", body[:100]), (b"cookie", b"a=b")]
    )
    request = ProviderRequest(
        Target("POST", path, path.encode()),
        query,
        block,
        LocalAddress("http", ("127.0.0.1", 80)),
        Sandbox(ID, DEFAULTS, is_broke=False, real_ms=NOW_MS),
        0,
        NOW_MS,
        body,
    )
    head = ResponseHead.of(200, ((b"location", query), (b"date", b"now")))
    entry = Entry(
        NOW_MS,
        NOW_MS,
        Operation.STATUS,
        "",
        200,
        5,
        body[:MAX_BODY_BYTES],
        answer_body[:MAX_BODY_BYTES],
        "POST",
        path,
        query,
        block.pairs,
        head.headers,
        len(answer_body),
    )
    return entry, without_key(entry, request, answer_body, head)


def shown(key: str, entry: Entry) -> bytes:
    """Return an entry as the control plane shows it."""
    return Redactor(key).json(msgspec.json.encode(JournalEntry.of(1, entry)))


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, bytes, bytes, bytes, str]:
    """Draw a key, and texts that may contain it in several forms."""
    key = draw(plain_keys)
    pieces = st.sampled_from([key, encoded(key), "a fox", "%41", '"', "é", "&taskId=", key[:6]])
    text = st.lists(pieces, max_size=5).map(lambda each: "".join(each).encode())
    ascii_text = text.map(lambda each: each.decode().encode("ascii", "replace"))
    path = draw(st.sampled_from(["/api", f"/api/{key}"]))
    return key, draw(text), draw(text), draw(ascii_text), path


@examples(200)
@given(texts())
@example(("sk-12345678", b"", b"", b"", "/api"))
def test_journal_shows_the_same_for_the_entries_of_a_durable_store(
    drawn: tuple[str, bytes, bytes, bytes, str],
) -> None:
    key = drawn[0]
    entry, kept = exchange(*drawn)

    assert shown(key, kept) == shown(key, entry)
    assert redacted(kept, Redactor(key)) == kept
    for form in spelled(key):
        assert form.encode() not in msgspec.msgpack.encode(kept)


@given(plain_keys, st.integers(-60, 60))
def test_long_body_stays_marked_as_truncated(key: str, offset: int) -> None:
    body = b"a" * (MAX_BODY_BYTES + offset) + key.encode() + b"b" * 200

    entry, kept = exchange(key, body, body, b"")

    assert len(kept.request) == len(kept.answer) == len(entry.request) == MAX_BODY_BYTES
    assert key.encode() not in kept.request
