"""The examples work: their suites pass, their configurations are valid.

tests/pytest_plugin/test_page.py runs the suites in Python and for Node's test runner.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import mock_server
from mock_server.command import command
from mock_server.settings import Settings
from mock_server.settings.sources import load_settings, unknown_variables
from mock_server.store.redis.address import parse_address
from tests.pages.blocks import ROOT, Kind, blocks
from tests.patience import PATIENCE_S

EXAMPLES = ROOT / "examples"
WORKFLOW = EXAMPLES / "github-actions" / "audit.yml"
COMPOSE = EXAMPLES / "compose" / "compose.yaml"
MANIFESTS = EXAMPLES / "kubernetes"


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PATH": path, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * PATIENCE_S,
    )


@pytest.fixture
def vitest() -> Path:
    """Return the folder of the example with vitest, if its packages are installed."""
    folder = EXAMPLES / "vitest"
    if shutil.which("npm") is None:
        pytest.skip("needs Node (Debian: apt-get install nodejs npm)")
    if not (folder / "node_modules").exists():
        pytest.skip("needs the packages of the example: make examples")
    return folder


@pytest.mark.parametrize("script", ["check", "test"])
def test_vitest_example_passes(vitest: Path, script: str) -> None:
    ended = run(vitest, "npm", "run", script)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_load_script_finishes_pictures(tmp_path: Path) -> None:
    if shutil.which("locust") is None:
        pytest.skip("needs Locust: make examples")
    script = str(EXAMPLES / "locust" / "locustfile.py")
    switches = [
        "--headless",
        "--users",
        "3",
        "--run-time",
        "3s",
        "--json",
        "--exit-code-on-error",
        "1",
    ]

    with mock_server.running(Settings(speed=100, generation_time_ms=1000)) as server:
        ended = run(
            tmp_path, "locust", "-f", script, "--host", server.base_url, *switches, POLL_S="0.05"
        )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    counts = {each["name"]: each["num_requests"] for each in json.loads(ended.stdout)}
    assert counts["result"] > 0
    assert counts["/api/v1/statusTask"] >= counts["result"]


@pytest.mark.parametrize(
    ("schema", "path"), [("github-workflows", WORKFLOW), ("compose-spec", COMPOSE)]
)
def test_configuration_follows_its_schema(schema: str, path: Path) -> None:
    if shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("needs check-jsonschema: make setup")
    ended = run(ROOT, "check-jsonschema", "--builtin-schema", f"vendor.{schema}", str(path))

    assert ended.returncode == 0, ended.stdout


def parsed_switches(added: list[str]) -> dict[str, Any]:
    """Return the parameters of the server in a container of the image."""
    written = (ROOT / "Dockerfile").read_text("utf-8").rpartition("ENTRYPOINT ")[2]
    entrypoint: list[str] = json.loads(written)
    program, *switches = [*entrypoint, *added]
    assert program == "mock-server"
    return command().make_context(program, list(switches)).params


def test_compose_file_starts_the_mock_with_switches_that_exist() -> None:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    parsed = parsed_switches(services["mock"]["command"])

    assert parsed["host"] == "0.0.0.0"
    assert (
        services["app"]["environment"]["APIXO_BASE_URL"]
        == f"http://mock:{parsed['port'] or Settings().port}"
    )


@pytest.mark.parametrize("path", [COMPOSE, ROOT / "compose.yaml"], ids=["example", "checkout"])
def test_compose_profile_shares_one_store_between_two_workers(path: Path) -> None:
    services: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["services"]
    shared = services["shared-mock"]
    given = {
        name: value
        for name, value in parsed_switches(shared["command"]).items()
        if value is not None
    }
    settings = load_settings({name: given[name] for name in ("store", "workers")}, {}, None)

    assert settings.workers == 2
    assert parse_address(settings.store).hosts == (("redis", 6379),)
    assert shared["profiles"] == services["redis"]["profiles"] == ["redis"]


def manifest(name: str, kind: str) -> dict[str, Any]:
    """Return the only resource of a kind in a file."""
    resources = yaml.safe_load_all((MANIFESTS / name).read_text("utf-8"))
    [found] = [each for each in resources if each["kind"] == kind]
    read: dict[str, Any] = found["spec"]
    return read


@pytest.mark.parametrize("path", sorted(MANIFESTS.iterdir()), ids=lambda path: path.stem)
def test_manifest_is_valid(path: Path) -> None:
    if shutil.which("kubernetes-validate", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("needs kubernetes-validate: make setup")
    ended = run(ROOT, "kubernetes-validate", "--strict", "-k", "1.30", str(path))

    assert ended.returncode == 0, ended.stdout


def test_manifest_of_the_mock_has_settings_ports_and_probes_that_exist() -> None:
    pod = manifest("mock-server.yaml", "Deployment")["template"]["spec"]
    [container] = pod["containers"]
    environ = {each["name"]: each.get("value", "a-password") for each in container["env"]}
    password = environ.pop("REDIS_PASSWORD")
    written = {
        name: value.replace("$(REDIS_PASSWORD)", password) for name, value in environ.items()
    }
    settings = load_settings({}, written, None)
    [service] = manifest("redis.yaml", "Service")["ports"]
    with mock_server.running() as server:
        answers = [
            httpx.get(server.base_url + container[f"{kind}Probe"]["httpGet"]["path"]).status_code
            for kind in ("readiness", "liveness", "startup")
        ]

    assert unknown_variables(written) == []
    assert parse_address(settings.store).hosts == (("mock-server-redis", service["port"]),)
    assert [port["containerPort"] for port in container["ports"]] == [settings.port]
    assert answers == [200, 200, 200]


def test_service_of_the_manifest_sets_no_settings_of_the_server() -> None:
    """Kubernetes would set MOCK_SERVER_PORT=tcp://… for a service with this name."""
    pod = manifest("mock-server.yaml", "Deployment")["template"]["spec"]

    assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("page", "shown", "path"),
    [
        ("docs/tutorials/audit-in-ci.md", ".github/workflows/audit.yml", WORKFLOW),
        ("docs/guides/containers.md", "compose.yaml", COMPOSE),
    ],
)
def test_page_shows_the_example(page: str, shown: str, path: Path) -> None:
    files = {
        block.file_name: block.text for block in blocks(ROOT / page) if block.kind is Kind.FILE
    }

    assert files[shown] == path.read_text("utf-8")
