"""No output of a mock server shows an API key, in whatever form clients have written it."""

import asyncio
import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from redis import Redis as SyncRedis

from mock_server.control.call import Call
from mock_server.domain import store_address
from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.cli.commands import started
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import receiving
from tests.redis_server import RedisServer
from tests.secrecy.key_search import KEYS, all_forms_of, found_in
from tests.secrecy.mock_scenario import ADMIN_TOKEN, IMAGE, MockScenario
from tests.secrecy.outputs import Outputs

PNG = b"\x89PNG\r\n\x1a\n"
DATABASE = 15
PLAIN, ODD = KEYS.values()
LOG_FORMATS = {"memory": "text", "sqlite": "json", "redis": "text"}
USES: Mapping[str, Mapping[str, str]] = {
    "memory": {key: all_forms_of(key) for key in KEYS.values()},
    "sqlite": {ODD: "a fox in the snow"},
    "redis": {PLAIN: "a fox in the snow"},
}
"""The keys that are used at each server, and what is in the texts that a store keeps."""
KEPT_KEY = "sk-live-in-a-prompt-0123"


READ = {
    b"string": ("GET",),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", 0, -1),
    b"list": ("LRANGE", 0, -1),
    b"stream": ("XRANGE", "-", "+"),
}
"""The command that reads a value of each type in Redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What is left of a server at which the scenario was played."""

    outputs: Outputs
    stored: bytes


@pytest.fixture(scope="module", params=LOG_FORMATS)
def played(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: RedisServer,
) -> Played:
    folder = tmp_path_factory.mktemp("store")
    asyncio.run(redis_server.flush(DATABASE))  # Other tests may have used it with another seed.
    stores = {
        "memory": "memory",
        "sqlite": f"sqlite:{folder / 'store.db'}",
        "redis": f"{redis_server.address}?db={DATABASE}",
    }
    switches = ("--store", stores[request.param], "--log-format", LOG_FORMATS[request.param])
    outputs = Outputs()

    def content() -> bytes:
        is_redis = request.param == "redis"
        return content_of(folder) + (content_of_redis(redis_server) if is_redis else b"")

    with started(
        *("--clock", "manual", "--seed", "7", "--log-level", "debug", *switches),
        MOCK_SERVER_ADMIN_TOKEN=ADMIN_TOKEN,
    ) as server:
        with receiving() as receiver, outputs.client(server.url) as http:
            receiver.files = {f"/{IMAGE}": PNG}
            scenarios = [
                MockScenario(http, outputs, key, kept, receiver.url(""))
                for key, kept in USES[request.param].items()
            ]
            for each in scenarios:
                each.play()
            Api(http, KEPT_KEY).submit(KEPT_KEY)
            stored = content()
            for each in scenarios:
                each.delete()
            scenarios[0].leave_a_callback()
            stored += content()
        status, out, err = server.stop(signal.SIGTERM)
    assert status == 0
    for received in receiver.received:
        outputs.add("callback", received.body)
    outputs.add("standard output", server.first_line + out)
    outputs.add("standard error", err)
    return Played(outputs=outputs, stored=stored + content_of(folder))


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def content_of_redis(server: RedisServer) -> bytes:
    """Return the names and values of the database."""
    content = []
    with SyncRedis(unix_socket_path=str(server.socket), db=DATABASE, protocol=2) as redis:
        for name in redis.scan_iter(count=1000):
            command, *limits = READ[redis.type(name)]
            values = redis.execute_command(command, name, *limits)
            content += [name, *flat(values)]
    return b"\n".join(content)


def flat(values: object) -> Iterator[bytes]:
    """Yield the bytes in lists, sets and dicts."""
    if isinstance(values, bytes):
        yield values
    elif isinstance(values, dict):
        yield from flat(list(values.items()))
    elif isinstance(values, list | tuple | set):
        for each in values:
            yield from flat(each)


@pytest.mark.parametrize("key", [PLAIN, ODD, KEPT_KEY, ADMIN_TOKEN])
def test_no_output_of_a_server_contains_a_key_or_the_admin_token(played: Played, key: str) -> None:
    assert played.outputs.with_key(key) == []


@pytest.mark.parametrize("key", [PLAIN, ODD, ADMIN_TOKEN])
def test_store_contains_no_key_that_is_not_in_a_kept_text(played: Played, key: str) -> None:
    assert found_in(played.stored, key) is None


def test_durable_store_keeps_a_prompt_as_it_was_sent(played: Played) -> None:
    assert not played.stored or found_in(played.stored, KEPT_KEY) is not None


def test_each_page_of_a_server_has_a_content_security_policy(played: Played) -> None:
    pages = [
        each
        for each in played.outputs.responses
        if each.headers.get("content-type", "").startswith("text/html")
    ]

    assert {each.url.path for each in pages} >= {"/", "/_mock/", "/_mock/session", "/_mock/audit"}
    for page in pages:
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"


def test_scenario_uses_every_call_of_a_server_in_every_format(played: Played) -> None:
    """A new call or a new format must become a part of the scenario."""
    used = played.outputs.requests
    expected = set(calls_of_the_control_plane())

    done = {
        each
        for each in expected
        for method, path, query in used
        if method == each[0] and re.fullmatch(each[1], path) and each[2] in query
    }
    assert expected - done == set()


def calls_of_the_control_plane() -> Iterator[tuple[str, str, str]]:
    """Yield a method, a pattern of the path, and a part of the query for each."""
    app = MockServer(Settings())
    for route in app.control.plane().routes:
        calls: Mapping[str, Call] = getattr(route, "calls", {})
        for method in calls or ("GET",):
            yield method, route.path_regex.pattern, ""
        for call in calls.values():
            for value in formats_of(call):
                yield call.method, route.path_regex.pattern, f"format={value}"
    for path in app._endpoints():
        yield ("POST" if "generate" in path else "GET"), re.escape(path), ""
    yield "GET", "/results/.*", ""


def formats_of(call: Call) -> Iterator[str]:
    """Yield the values of the parameter `format` of a call."""
    for field in () if call.query_type is None else msgspec.structs.fields(call.query_type):
        if field.name == "format":
            schema = msgspec.json.schema(field.type)
            yield from next(
                each["enum"] for each in [schema, *schema.get("anyOf", ())] if "enum" in each
            )


def test_scenario_uses_every_format_of_the_log_and_every_kind_of_store() -> None:
    formats = get_args(get_args(Settings.__annotations__["log_format"])[0])

    assert {*LOG_FORMATS.values()} == {*formats}
    assert {*LOG_FORMATS} == {re.split(r"\W", kind)[0] for kind in store_address._KINDS}
