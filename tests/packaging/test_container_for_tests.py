"""`ApixoContainer` without a daemon: a mock in this process stands for the container."""

from collections.abc import Iterator
from typing import Any

import pytest

import mock_server
from mock_server.command import command
from mock_server.domain.errors import InvalidValue
from mock_server.testing.container import PORT, ApixoContainer
from mock_server.version import __version__

# With a version given, the client of Docker asks no daemon for one.
WITHOUT_DAEMON = {"version": "1.41"}


class Started(ApixoContainer):
    """A container that listens where a server of this process does."""

    def __init__(self, url: str) -> None:
        super().__init__(docker_client_kw=WITHOUT_DAEMON)
        self._url = url

    def get_container_host_ip(self) -> str:
        return self._url.split(":")[1].strip("/")

    def get_exposed_port(self, port: int) -> int:
        assert port == PORT
        return int(self._url.split(":")[2])


@pytest.fixture
def started() -> Iterator[Started]:
    with mock_server.running() as server:
        yield Started(server.base_url)


def test_the_image_has_the_version_of_the_package() -> None:
    assert (
        ApixoContainer(docker_client_kw=WITHOUT_DAEMON).image
        == f"apixotestkit/apixo-testkit:{__version__}"
    )


def test_settings_become_switches_that_the_server_accepts() -> None:
    made = ApixoContainer(
        docker_client_kw=WITHOUT_DAEMON,
        rate_limit=5,
        strict=True,
        provenance=False,
        api_key=["a", "b"],
    )

    words = made._command
    assert isinstance(words, list)
    context = command().make_context("mock-server", words)
    assert context.params["rate_limit"] == "5"
    assert context.params["strict"] is True
    assert context.params["api_key"] == ("a", "b")


@pytest.mark.parametrize("name", ["rate_limits", "port", "host"])
def test_an_unknown_setting_is_rejected_with_its_name(name: str) -> None:
    settings: dict[str, Any] = {name: 1}

    with pytest.raises(InvalidValue, match=f"{name}: is not a setting of the container; "):
        ApixoContainer(docker_client_kw=WITHOUT_DAEMON, **settings)


def test_the_container_is_ready_when_the_mock_is(started: Started) -> None:
    strategy = started._wait_strategy
    assert strategy is not None

    strategy.wait_until_ready(started)


def test_a_sandbox_of_the_container_is_controlled_like_any_other(started: Started) -> None:
    with started.sandbox(seed=1) as mock:
        mock.advance(30)

        assert mock.base_url == started.base_url
        assert mock.tasks == []
