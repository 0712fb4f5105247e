"""A sandbox that is damaged in Redis can be reset, removed and replaced by a snapshot."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from redis import Redis

from mock_server.domain.command_codec import FORMAT
from mock_server.settings import Settings
from mock_server.store.redis.keys import EPOCH, SandboxKeys
from mock_server.web.api_keys import sandbox_id
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running
from tests.redis_server import RedisServer

_DATABASE = 10

Send: TypeAlias = Callable[..., Any]
Damage: TypeAlias = Callable[[Send, SandboxKeys], object]


def add_unreadable_commands(send: Send, keys: SandboxKeys) -> None:
    [epoch] = send("ZMSCORE", keys.meta, EPOCH)
    send("XADD", keys.log, "*", "e", int(epoch), "c", bytes([FORMAT, 7]))


def add_unknown_fields(send: Send, keys: SandboxKeys) -> None:
    send("XADD", keys.log, "*", "e", "no number", "c", "junk")


def add_unknown_checkpoint(send: Send, keys: SandboxKeys) -> None:
    send("XADD", keys.checkpoints, "*", "of", "junk")


def add_unreadable_checkpoint(send: Send, keys: SandboxKeys) -> None:
    [epoch] = send("ZMSCORE", keys.meta, EPOCH)
    send("XADD", keys.checkpoints, "*", "e", int(epoch), "r", 1, "s", bytes([FORMAT, 7]))


def change_type_of(name: str) -> Damage:
    def change_type(send: Send, keys: SandboxKeys) -> None:
        send("SET", getattr(keys, name), "junk")

    return change_type


def leave_a_log_of_another_type(send: Send, keys: SandboxKeys) -> None:
    send("DEL", *keys.all)
    send("SET", keys.log, "junk")


DAMAGES = [
    pytest.param(add_unreadable_commands, id="entry"),
    pytest.param(add_unknown_fields, id="fields-of-an-entry"),
    pytest.param(change_type_of("log"), id="type-of-the-log"),
    pytest.param(change_type_of("meta"), id="type-of-the-epoch"),
    pytest.param(leave_a_log_of_another_type, id="remains"),
]
# Only a process that has not read the sandbox yet reads its checkpoints.
DAMAGES_OF_CHECKPOINTS = [
    pytest.param(add_unknown_checkpoint, id="fields-of-a-checkpoint"),
    pytest.param(add_unreadable_checkpoint, id="checkpoint"),
    pytest.param(change_type_of("checkpoints"), id="type-of-the-checkpoints"),
]


@pytest.fixture(scope="module")
def mocks(redis_server: RedisServer) -> Iterator[list[RunningMock]]:
    store = f"{redis_server.address}?db={_DATABASE}"
    settings = Settings(store=store, clock="manual", log_level="warning")
    with running(settings) as one, running(settings) as other:
        yield [one, other]


@pytest.fixture
def apis(mocks: list[RunningMock], request: pytest.FixtureRequest) -> list[Api]:
    """Return a key of this test at two servers, none of which has read its sandbox."""
    return [mock.api(f"sk-{request.node.name}") for mock in mocks]


@pytest.fixture
def send(redis_server: RedisServer) -> Iterator[Send]:
    with Redis(unix_socket_path=str(redis_server.socket), db=_DATABASE) as client:
        yield client.execute_command


def check_way_out(way_out: str, before: Api, after: Api, damage: Callable[[], object]) -> None:
    """Damage a sandbox that `before` has read. `after` must be able to begin it anew."""
    snapshot = before.told("GET", "sandbox/snapshot")
    task = before.submit()
    damage()

    answer = after.ask(task)
    assert answer.status_code == 503, answer.text
    assert answer.json()["data"]["error"].endswith(
        "DELETE /_mock/sandbox begins it anew, unless you can restore the data of Redis"
    )
    method, _, path = way_out.partition(" ")
    body = snapshot if method == "PUT" else None
    assert after.control(method, path, body).status_code == 204
    assert after.ask(task).status_code == before.ask(task).status_code == 404
    again = after.submit()
    assert before.status(again) == after.status(again)


@pytest.fixture(params=["DELETE sandbox", "DELETE sandbox?remove=true", "PUT sandbox/snapshot"])
def way_out(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("damage", DAMAGES)
def test_process_that_has_read_a_sandbox_can_replace_it_after_damage(
    apis: list[Api], send: Send, damage: Damage, way_out: str
) -> None:
    api, _ = apis
    keys = SandboxKeys(sandbox_id(api.key))

    check_way_out(way_out, api, api, lambda: damage(send, keys))


@pytest.mark.parametrize("damage", [*DAMAGES, *DAMAGES_OF_CHECKPOINTS])
def test_process_that_has_not_read_a_damaged_sandbox_can_replace_it(
    apis: list[Api], send: Send, damage: Damage, way_out: str
) -> None:
    before, after = apis
    keys = SandboxKeys(sandbox_id(before.key))

    check_way_out(way_out, before, after, lambda: damage(send, keys))


def test_invalid_snapshot_leaves_a_damaged_sandbox_as_it_is(apis: list[Api], send: Send) -> None:
    api, _ = apis
    api.submit()
    keys = SandboxKeys(sandbox_id(api.key))
    add_unreadable_commands(send, keys)

    assert api.control("PUT", "sandbox/snapshot", {"version": "junk"}).status_code == 400
    assert send("EXISTS", *keys.all) == 2
