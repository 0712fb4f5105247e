"""What all tests share."""

import pytest
from hypothesis import settings

# Properties are judged by what they find, never by how long they take.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests under asyncio only, whatever else is installed."""
    return "asyncio"


collect_ignore = ["example_project"]  # a suite of its own, run by tests/pytest_plugin
