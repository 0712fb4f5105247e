"""Generated requests find nothing that the OpenAPI document does not promise."""

import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.properties import scale

KEY = "sk-schemathesis"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SWITCHES = {
    "--checks": "all",
    "--header": f"Authorization: Bearer {KEY}",
    "--max-examples": str(scale(150)),
    "--seed": "7",
    "--generation-database": "none",
}


@pytest.mark.deep
def test_generated_requests_find_nothing(serve: Serve, tmp_path: Path) -> None:
    """All checks are on; the server lists its one key, so that they may try others in vain.

    Time stands still, so that no callback is ever sent to a generated address. (Its plugin for
    pytest does not know pytest 9.2, hence the command.)
    """
    settings = Settings(clock="manual", seed=7, egress="loopback", api_key=(KEY,))
    document = f"{serve(settings).url}/openapi.json"
    switches = [word for pair in SWITCHES.items() for word in pair]
    ended = subprocess.run(
        [SCHEMATHESIS, "run", document, "--continue-on-failure", "--no-color", *switches],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Tested: 3" in ended.stdout
    assert "✅ Coverage" in ended.stdout
    assert "✅ Fuzzing" in ended.stdout
