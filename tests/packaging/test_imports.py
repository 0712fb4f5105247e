"""What an import loads, seen in a fresh process."""

import json
import subprocess
import sys

import pytest

SERVERS = {"mock_server", "contract_tests", "starlette", "uvicorn", "uvloop", "PIL"}
OF_THE_KIT = {"hypothesis", "pytest", "_pytest"}


def loaded_by(statement: str, *, without: frozenset[str] = frozenset()) -> set[str]:
    """Return the top-level modules in memory after this statement ran in a new process.

    Modules in `without` cannot be imported there, as if they were not installed.
    """
    program = (
        "import json, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(without)}))\n"
        f"{statement}\n"
        "print(json.dumps([name for name, module in sys.modules.items() if module is not None]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return {str(name).partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_client_loads_no_server_and_no_pillow() -> None:
    assert loaded_by("import client_reference") & SERVERS == set()


@pytest.mark.parametrize(
    "statement",
    [
        "import mock_server.server",
        "import client_reference.command.cli",
        "import contract_tests.client.sandbox_audit, contract_tests.client.reports.files",
    ],
    ids=["mock server", "client", "judgement of a client"],
)
def test_server_client_and_judgement_need_neither_hypothesis_nor_pytest(statement: str) -> None:
    loaded_by(statement, without=frozenset(OF_THE_KIT))


@pytest.mark.parametrize("plugin", ["mock_server.pytest_plugin", "contract_tests.pytest_options"])
def test_pytest_plugins_load_without_hypothesis(plugin: str) -> None:
    loaded_by(f"import {plugin}", without=frozenset({"hypothesis"}))


def test_the_first_callback_loads_nothing_that_would_stop_the_event_loop() -> None:
    statement = "import mock_server.server, mock_server.wiring, mock_server.runtime.sender"

    assert loaded_by(statement) & {"httpx", "httpcore", "aiodns", "idna", "certifi"} == set()
