"""What all tests share."""

import os
import signal

import pytest

from tests.properties import register_profiles

register_profiles()

# A run in the background of a script ignores Ctrl-C, and so would every command that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.browser", "tests.redis_server"]

_MORE_WORKERS = 1


def pytest_xdist_auto_num_workers() -> int:
    """Start more workers than cores, because tests also wait for other programs."""
    return (os.cpu_count() or 1) + _MORE_WORKERS


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests under asyncio only, whatever else is installed."""
    return "asyncio"
