"""Generated requests find nothing in control that its document does not promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.control.documented import PATH
from tests.mock_server.e2e.api import Json
from tests.properties import scale

LEFT_OUT = "/(events|wait|snapshot)$"
KEY = "sk-schemathesis"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SWITCHES = {
    "--checks": "all",
    "--exclude-checks": "positive_data_acceptance",
    "--exclude-path-regex": LEFT_OUT,
    "--header": f"Authorization: Bearer {KEY}",
    "--phases": "coverage,fuzzing",
    "--max-examples": str(scale(10)),
    "--seed": "7",
    "--generation-database": "none",
}


@pytest.mark.deep
def test_generated_requests_find_nothing(serve: Serve, document: Json, tmp_path: Path) -> None:
    """All checks are on but one: a body that fits the document may still contradict itself.

    Whatever waits, never ends or is very long stays out, and so, by itself, does the address of
    the document. The server lists its one key, so that others may be tried in vain.
    """
    settings = Settings(clock="manual", seed=7, egress="loopback", api_key=(KEY,))
    address = f"{serve(settings).url}{PATH}"
    switches = [word for pair in SWITCHES.items() for word in pair]
    ended = subprocess.run(
        [SCHEMATHESIS, "run", address, "--continue-on-failure", "--no-color", *switches],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    methods = [
        method
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters" and path != PATH and not re.search(LEFT_OUT, path)
    ]
    assert f"Tested: {len(methods)}" in ended.stdout
