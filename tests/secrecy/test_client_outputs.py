"""No output of the client shows the API key, even if the service sends it back in every form."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stamina.instrumentation

from client_reference import ApixoError, Client
from client_reference.command.cli import command
from mock_server.settings import Settings
from tests.client_reference.cli.conftest import Command
from tests.client_reference.cli.processes import Ended, run
from tests.client_reference.test_key_secrecy import everything_told_by
from tests.contract_tests.mutants.harness import Mutant, serving
from tests.mock_server.e2e.api import SUBMIT
from tests.secrecy.key_echo import echo_key
from tests.secrecy.key_search import KEYS, forms_of
from tests.secrecy.outputs import Outputs

FAST = ("--poll-after", "0", "--poll-every", "0.05", "--timeout", "20")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    settings = Settings(clock="real", generation_time_ms=0, seed=7)
    mutant = Mutant(name="key-echo", clause="SUB-1", make=lambda: echo_key, settings=settings)
    with serving(mutant) as url:
        yield url


@pytest.fixture
def command_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    yield Command(monkeypatch, capsys)
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_no_output_of_a_command_contains_the_key(
    command_here: Command, url: str, tmp_path: Path, key: str
) -> None:
    """A new command must become a part of this test."""
    pictures, prompts = tmp_path / "pictures", tmp_path / "prompts.txt"
    prompts.write_text("a fox\na hen\n", "utf-8")
    task_id = submitted(url, key)
    outputs = Outputs()
    variables = {"APIXO_BASE_URL": url, "APIXO_API_KEY": key}

    def add(name: str, ended: Ended) -> None:
        outputs.add(name, f"{ended.output}\n{ended.errors}")

    for words in (
        ("balance",),
        ("balance", "--unknown"),
        ("generate", "a fox", "--json", *FAST),
        ("generate", "[[mock fail=NSFW]]", *FAST),
        ("generate", "a fox", "--provider", "none", *FAST),
        ("batch", str(prompts), "--json", *FAST, "--output", str(pictures)),
        ("status", task_id),
        ("wait", f"{task_id}-unknown", "--json"),
    ):
        add(words[0], command_here(*words, **variables))
    # In this process, its log would continue during the next tests.
    add("debug", run("generate", "a fox", "--debug", *FAST, "-o", str(pictures), **variables))
    add("debug", run("status", f"{task_id}-unknown", "--debug", **variables))
    outputs.add_files(pictures.rglob("*"))

    assert outputs.with_key(key) == []
    assert command().commands.keys() <= {*outputs.names}


def submitted(url: str, key: str) -> str:
    body = {"input": {"prompt": "a fox"}}
    headers = {"Authorization": f"Bearer {key}"}
    task_id: str = httpx.post(f"{url}{SUBMIT}", json=body, headers=headers).json()["data"]["taskId"]
    return task_id


@pytest.mark.parametrize("form", forms_of(KEYS["plain"]))
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_no_exception_contains_the_key_in_any_form(key: str, form: str) -> None:
    written = forms_of(key)[form]
    headers = {"X-Form": written, f"X-{'Form' if '/' in key else key}": "1"}
    shown = Outputs()

    def answer(_: httpx.Request) -> httpx.Response:
        body = json.dumps({"code": 400, "message": f"no: {written}", "data": {"error": written}})
        return httpx.Response(400, content=body, headers=headers)

    client = Client(key, "http://service.test", transport=httpx.MockTransport(answer))
    with client, pytest.raises(ApixoError) as caught:
        client.balance()

    shown.add("exception", everything_told_by(caught.value))
    shown.add("client", f"{client!r} {vars(client)!r}")
    assert shown.with_key(key) == []
