"""The mock server as a container of testcontainers-python (the extra `testcontainers`)."""

from contextlib import AbstractContextManager
from typing import Any, Final

from mock_server.domain.errors import InvalidValue
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.setting import declarations
from mock_server.settings.server import Settings, switch
from mock_server.testing.sandbox import ApixoMock
from mock_server.version import __version__

try:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "testcontainers is not installed;"
        " run: python -m pip install 'apixo-testkit[testcontainers]'"
    ) from error

IMAGE: Final = f"apixotestkit/apixo-testkit:{__version__}"
PORT: Final = 8080
_OF_THE_CONTAINER: Final = {"host", "port"}
_START_S: Final = 60


class ApixoContainer(DockerContainer):
    """A mock server in a container, ready as soon as the `with` block begins.

        with ApixoContainer(speed=100) as container, container.sandbox() as mock:
            client = Client(base_url=mock.base_url, api_key=mock.api_key)

    Keyword arguments are settings of the server, such as `rate_limit=5`. Raises InvalidValue for an
    unknown one; the container does not start with an invalid value.
    """

    def __init__(
        self,
        image: str = IMAGE,
        docker_client_kw: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        command = _switches(settings)
        super().__init__(image, docker_client_kw)
        self.with_exposed_ports(PORT)
        self.with_command(command)
        self.waiting_for(HttpWaitStrategy(PORT, "/_mock/ready").with_startup_timeout(_START_S))

    @property
    def base_url(self) -> str:
        """Return the address for clients on this machine."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"

    def sandbox(self, *, seed: int | None = None) -> AbstractContextManager[ApixoMock]:
        """Create a sandbox with a new key and a manual clock; delete it when the block ends."""
        return ApixoMock.begun(self.base_url, seed=seed)


def _switches(settings: dict[str, Any]) -> list[str]:
    """Return the switches of these settings; the container sets host and port itself."""
    known = {each.name: each for each in declarations(Settings) if not each.setting.is_file_only}
    names = known.keys() - _OF_THE_CONTAINER
    for name in settings.keys() - names:
        raise InvalidValue(name, f"is not a setting of the container{did_you_mean(name, names)}")
    switches: list[str] = []
    for name, value in settings.items():
        if isinstance(value, bool):
            switches.append(switch(known[name]) if value else f"--no-{switch(known[name])[2:]}")
        else:
            many = value if isinstance(value, list | tuple) else [value]
            switches += [text for each in many for text in (switch(known[name]), str(each))]
    return switches
