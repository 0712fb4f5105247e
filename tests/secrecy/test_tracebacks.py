"""The traceback of an unexpected error shows no API key."""

import signal
import subprocess
import sys
import tempfile

import pytest

from tests.mock_server.cli.commands import Started, environment
from tests.mock_server.e2e.api import SUBMIT
from tests.secrecy.key_search import KEYS, all_forms_of
from tests.secrecy.outputs import Outputs

BROKEN_SERVER = """
from functools import wraps

from mock_server.__main__ import main
from mock_server.control.resources.tasks import TasksResource
from mock_server.web.endpoints.submit import SubmitEndpoint

def failing(method):
    @wraps(method)
    async def fail(*arguments, **named):
        raise RuntimeError("provoked")
    return fail

SubmitEndpoint.handle = failing(SubmitEndpoint.handle)
TasksResource.show_all = failing(TasksResource.show_all)
main()
"""


@pytest.mark.parametrize(("log_level", "log_format"), [("debug", "text"), ("warning", "json")])
def test_traceback_contains_no_key(log_level: str, log_format: str) -> None:
    """At the level `warning`, the direct path serves the submit."""
    words = ["--port", "0", "--log-level", log_level, "--log-format", log_format]
    outputs = Outputs()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, "-c", BROKEN_SERVER, *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment({}),
        ) as process,
    ):
        try:
            server = Started(process, errors)
            with outputs.client(server.url) as http:
                for key in KEYS.values():
                    headers = {"Authorization": f"Bearer {key}", "X-Key": all_forms_of(key)}
                    headers["Connection"] = "close"  # After an error, the server closes it.
                    body = {"input": {"prompt": all_forms_of(key)}}
                    assert http.post(SUBMIT, json=body, headers=headers).status_code == 500
                    assert http.get("/_mock/tasks", headers=headers).status_code == 500
            _, out, err = server.stop(signal.SIGTERM)
        finally:
            process.kill()
    outputs.add("output", out + err)

    assert err.count("provoked") > 1
    assert "Traceback" in err
    assert [outputs.with_key(key) for key in KEYS.values()] == [[], []]
