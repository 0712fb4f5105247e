"""Generated requests find nothing that the OpenAPI document does not promise."""

from pathlib import Path

import pytest

from tests.mock_server.conftest import Serve
from tests.mock_server.schemathesis_run import SETTINGS, found_nothing
from tests.properties import scale


@pytest.mark.deep
def test_generated_requests_find_nothing(serve: Serve, tmp_path: Path) -> None:
    document_url = f"{serve(SETTINGS).url}/openapi.json"

    printed = found_nothing(document_url, tmp_path, examples=scale(150))

    assert "Tested: 3" in printed
    assert "✅ Coverage" in printed
    assert "✅ Fuzzing" in printed
    assert "✅ Stateful" in printed
    assert "API Links:    2 covered" in printed
