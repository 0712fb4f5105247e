"""The settings of stores: no text shows a password, and a short time to live is rejected."""

import pytest

from tests.mock_server.cli.commands import run
from tests.mock_server.cli.in_process import Run, StartHere, assert_stopped


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://localhost:6379/2", "redis://localhost:6379/2"),
        ("rediss://user:hush@host", "rediss://host"),
        ("sqlite:///data/mock@2?.db", "sqlite:///data/mock@2?.db"),
        ("redis://:hush@host/0", "redis://host/0"),
        ("redis://user:hu@sh@host/0", "redis://host/0"),
        (
            "redis+sentinel://u:hush@a,b/main/1?sentinel_password=hush",
            "redis+sentinel://a,b/main/1",
        ),
    ],
)
def test_password_of_a_store_is_not_shown(start_here: StartHere, address: str, shown: str) -> None:
    settings = start_here("--store", address).settings

    assert settings.shown()["store"] == shown
    assert "hush" not in repr(settings)
    assert settings.store == address


@pytest.mark.parametrize("address", ["redis:/user:hush@host", "redi://:hush@host", "hush memory"])
def test_password_in_an_invalid_address_of_a_store_is_not_shown(
    run_here: Run, address: str
) -> None:
    ended = run_here("--store", address)

    assert_stopped(ended, naming="--store: must be memory, sqlite:FILE or redis://HOST:PORT/DB")
    assert "hush" not in ended.stderr


def test_time_to_live_below_a_minute_is_rejected() -> None:
    ended = run("--port", "0", "--store", "redis://localhost", "--store-ttl", "59")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "Error: --store-ttl: must be at least 1m (got 59 s)\n"
