"""A store uses Redis over TLS, and says in one line what is wrong with a certificate."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from redis.exceptions import ConnectionError as RedisConnectionError

from mock_server.domain.errors import InvalidValue
from mock_server.domain.task import TaskState
from mock_server.store.redis.address import parse_address
from mock_server.store.redis.problems import problem_of
from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer, redis_binary


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsRedis:
    """A Redis with TLS. Its files are in a folder: ca, another ca, and cert of a client."""

    port: int
    folder: Path

    def address(self, **options: str) -> str:
        files = "&".join(f"{name}={self.folder / file}" for name, file in options.items())
        return f"rediss://127.0.0.1:{self.port}" + (f"?{files}" if files else "")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other-ca.pem")
    for name, identity in (
        ("server", "127.0.0.1"),
        ("elsewhere", "redis.test"),
        ("client", "client@example.test"),
    ):
        issued = authority.issue_cert(identity)
        issued.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.crt")
    (folder / "empty.pem").touch()
    return folder


def started(files: Path, folder: Path, certificate: str, *, wants_client: bool) -> TlsRedis:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = RedisServer(redis_binary(), folder)
    server.start(
        *("--tls-port", str(port), "--bind", "127.0.0.1"),
        *("--tls-cert-file", str(files / f"{certificate}.crt")),
        *("--tls-key-file", str(files / f"{certificate}.key")),
        *("--tls-ca-cert-file", str(files / "ca.pem")),
        *("--tls-auth-clients", "yes" if wants_client else "no"),
    )
    running.append(server)
    return TlsRedis(port=port, folder=files)


running: list[RedisServer] = []


@pytest.fixture(scope="module", autouse=True)
def stop_all() -> Iterator[None]:
    yield
    while running:
        running.pop().stop()


@pytest.fixture(scope="module")
def redis(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TlsRedis:
    return started(files, tmp_path_factory.mktemp("redis"), "server", wants_client=False)


@pytest.fixture(scope="module")
def strict_redis(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TlsRedis:
    return started(files, tmp_path_factory.mktemp("strict"), "server", wants_client=True)


@pytest.fixture(scope="module")
def misnamed_redis(files: Path, tmp_path_factory: pytest.TempPathFactory) -> TlsRedis:
    return started(files, tmp_path_factory.mktemp("misnamed"), "elsewhere", wants_client=False)


def check_usable(open_store: NewStore, address: str, runner: asyncio.Runner) -> None:
    stores = [open_store(address), open_store(address)]
    assert [store.problem for store in stores] == [None, None]
    one, other = (Bench(store, runner).key() for store in stores)
    task = one.callback_task(HELD)
    other.finish(task.id)
    assert one.states()[task.id] is TaskState.SUCCESS


def test_stores_share_a_sandbox_over_tls(
    redis: TlsRedis, open_store: NewStore, runner: asyncio.Runner
) -> None:
    check_usable(open_store, redis.address(ca="ca.pem"), runner)


@pytest.mark.parametrize(
    "options",
    [{"cert": "client.crt", "key": "client.key"}, {"cert": "client.pem"}],
    ids=["two files", "one file"],
)
def test_redis_may_ask_for_a_certificate_of_the_client(
    strict_redis: TlsRedis,
    open_store: NewStore,
    runner: asyncio.Runner,
    options: dict[str, str],
) -> None:
    check_usable(open_store, strict_redis.address(ca="ca.pem", **options), runner)


def problem_at(address: str, open_store: NewStore, caplog: pytest.LogCaptureFixture) -> str:
    """Return the problem of a store, which must also be the only line of the log."""
    problem = open_store(address).problem
    assert problem is not None
    assert caplog.messages == [problem]
    assert "\n" not in problem
    return problem


@pytest.mark.parametrize("options", [{}, {"ca": "other-ca.pem"}], ids=["no CA", "wrong CA"])
def test_certificate_of_an_unknown_authority_is_one_clear_line(
    redis: TlsRedis,
    open_store: NewStore,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, str],
) -> None:
    problem = problem_at(redis.address(**options), open_store, caplog)

    assert "has a certificate that cannot be verified" in problem
    assert problem.endswith("; name its CA with ?ca=FILE")


def test_certificate_for_another_host_is_one_clear_line(
    misnamed_redis: TlsRedis, open_store: NewStore, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_at(misnamed_redis.address(ca="ca.pem"), open_store, caplog)

    assert "has a certificate for another host" in problem
    assert "127.0.0.1" in problem


def test_missing_certificate_of_the_client_is_named(
    strict_redis: TlsRedis, open_store: NewStore, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_at(strict_redis.address(ca="ca.pem"), open_store, caplog)

    assert problem.endswith("set it with ?cert=FILE&key=FILE")


def test_redis_that_needs_tls_is_recognized(
    redis: TlsRedis, open_store: NewStore, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_at(f"redis://127.0.0.1:{redis.port}", open_store, caplog)

    assert "cannot be reached" in problem
    assert problem.endswith("; if it needs TLS, use rediss:// in --store")


def test_redis_without_tls_is_recognized() -> None:
    address = parse_address("rediss://127.0.0.1")

    problem = problem_of(TimeoutError(), address, was_available=False)

    assert problem.endswith("; if it has no TLS, use redis:// in --store")


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_address_is_not_doubted_after_it_was_right(scheme: str) -> None:
    address = parse_address(f"{scheme}://127.0.0.1")
    error = RedisConnectionError("Connection closed by server.")

    problem = problem_of(error, address, was_available=True)

    assert problem == "Redis at 127.0.0.1:6379 cannot be reached: the connection was closed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ca": "none.pem"}, "the files of the option ca cannot be read: No such file"),
        ({"ca": "empty.pem"}, "the option ca must be a PEM file with CA certificates"),
        ({"cert": "none.pem"}, "the files of the option cert cannot be read: No such file"),
        ({"cert": "client.crt"}, "the option cert must be a PEM file with a certificate and"),
        ({"cert": "client.crt", "key": "server.key"}, "the option cert must be a PEM file with"),
        ({"key": "client.key"}, "the option key in the address needs the option cert"),
    ],
)
def test_invalid_file_is_rejected_at_the_start(
    files: Path, open_store: NewStore, options: dict[str, str], message: str
) -> None:
    address = TlsRedis(port=1, folder=files).address(**options)

    with pytest.raises(InvalidValue, match=f"^--store: {message}"):
        open_store(address)
