"""A checker of reference images with small limits."""

from collections.abc import AsyncIterator

import pytest

from mock_server.runtime.image_checker import HttpImageChecker
from tests.mock_server.runtime.images import checking


@pytest.fixture
async def checker() -> AsyncIterator[HttpImageChecker]:
    async with checking() as checker:
        yield checker
