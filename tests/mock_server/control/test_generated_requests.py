"""Generated requests find no difference between the control plane and its document."""

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
def test_generated_requests_find_no_problem_in_the_control_plane(
    serve: Serve, document: Json, tmp_path: Path
) -> None:
    """Run all checks but one, because a body that matches the document may contradict itself.

    Calls that wait, that stream or that have very long bodies are left out. The command itself
    leaves out the address of the document.
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
