"""The OpenAPI document of the control plane, as the server answers it."""

import pytest

from tests.mock_server.control.documented import PATH
from tests.mock_server.e2e.api import Json
from tests.mock_server.e2e.serving import RunningMock


@pytest.fixture
def document(mock: RunningMock) -> Json:
    body: Json = mock.http.get(PATH).raise_for_status().json()
    return body
