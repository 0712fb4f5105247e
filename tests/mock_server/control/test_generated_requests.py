"""Generated requests find nothing in control that its document does not promise."""

import re
from pathlib import Path

import pytest

from tests.mock_server.conftest import Serve
from tests.mock_server.control.documented import PATH
from tests.mock_server.e2e.api import Json
from tests.mock_server.schemathesis_run import SETTINGS, found_nothing
from tests.properties import scale

LEFT_OUT = "/(events|wait|snapshot)$"


@pytest.mark.deep
def test_generated_requests_find_nothing(serve: Serve, document: Json, tmp_path: Path) -> None:
    """All checks are on but one: a body that fits the document may still contradict itself.

    Whatever waits, never ends or is very long stays out, and so, by itself, does the address of
    the document.
    """
    printed = found_nothing(
        f"{serve(SETTINGS).url}{PATH}",
        tmp_path,
        examples=scale(10),
        exclude_checks="positive_data_acceptance",
        exclude_path_regex=LEFT_OUT,
        phases="coverage,fuzzing",
    )

    methods = [
        method
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters" and path != PATH and not re.search(LEFT_OUT, path)
    ]
    assert f"Tested: {len(methods)}" in printed
