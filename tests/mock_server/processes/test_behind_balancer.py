"""The contract holds for three servers behind a balancer, however it chooses among them."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.mock_server.cli.commands import Started
from tests.mock_server.processes.balancer import Balance, balanced, three_servers
from tests.properties import is_deep
from tests.redis_server import RedisServer

_DATABASE = 10
_LONGEST_S = 1800.0
# A poll, a limit, a payment: half a minute together.
_SHORT_CASES = ["--select", "A-POLL-001", "--select", "A-LIM-002", "--select", "A-PAY-001"]
BALANCES: list[Balance] = ["roundrobin", "hdr(Authorization)"]


@pytest.fixture(scope="module")
def servers(redis_server: RedisServer) -> Iterator[list[Started]]:
    with three_servers(redis_server, _DATABASE) as servers:
        yield servers


@pytest.fixture(params=BALANCES)
def url(request: pytest.FixtureRequest, servers: list[Started], tmp_path: Path) -> Iterator[str]:
    with balanced(servers, request.param, tmp_path) as url:
        yield url


def contract_tests(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [Path(sys.executable).with_name("contract-tests"), *arguments],
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )


def test_all_three_servers_answer_for_one_key(servers: list[Started], tmp_path: Path) -> None:
    body = {"input": {"prompt": "[[mock hold]] a fox"}}
    headers = {"Authorization": "Bearer sk-three"}
    with balanced(servers, "roundrobin", tmp_path) as url:
        with httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False) as http:
            for _ in range(6):
                http.post("/api/v1/generateTask/gpt-image-1", json=body).raise_for_status()
        counters = [server.get("/_mock/sandbox", "sk-three")["counters"] for server in servers]

    assert [each["live_tasks"] for each in counters] == [6, 6, 6]


@pytest.mark.deep
@pytest.mark.long
def test_contract_holds_behind_a_balancer(url: str) -> None:
    suite = "full" if is_deep() else "smoke"
    ended = contract_tests("run", "--base-url", url, "--api-key", "sk-kit", "--suite", suite)

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.deep
@pytest.mark.long
def test_reference_client_passes_its_audit_behind_a_balancer(url: str) -> None:
    client = Path(sys.executable).with_name("client-reference")
    command = (
        f"{shlex.quote(str(client))} generate {{prompt}} --num-images {{num_images}} -o {{out_dir}}"
    )

    selection = ["--suite", "quick"] if is_deep() else _SHORT_CASES

    ended = contract_tests("audit", "--base-url", url, *selection, "--exec", command)

    assert ended.returncode == 0, ended.stdout + ended.stderr
