"""What all tests share."""

import pytest

from tests.properties import register_profiles

register_profiles()

pytest_plugins = ["tests.browser"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests under asyncio only, whatever else is installed."""
    return "asyncio"
