"""Generated requests find no difference between the control plane and its document."""

import copy
import json
import re
from pathlib import Path

import pytest

from tests.mock_server.both_documents import linked
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Json
from tests.mock_server.schemathesis_run import SETTINGS, found_nothing
from tests.properties import scale

LEFT_OUT = "/(events|snapshot)$"


@pytest.mark.deep
def test_generated_requests_find_no_problem_in_the_control_plane(
    serve: Serve, document: Json, tmp_path: Path
) -> None:
    """Run all checks but one, because a body that matches the document may contradict itself.

    Calls that stream or that have very long bodies are left out.
    """
    file = tmp_path / "control.json"
    file.write_text(json.dumps(linked(copy.deepcopy(document))))

    printed = found_nothing(
        str(file),
        tmp_path,
        url=serve(SETTINGS).url,
        examples=scale(10),
        exclude_checks="positive_data_acceptance",
        exclude_path_regex=LEFT_OUT,
    )

    methods = [
        method
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters" and not re.search(LEFT_OUT, path)
    ]
    assert f"Tested: {len(methods)}" in printed
    assert "✅ Stateful" in printed
