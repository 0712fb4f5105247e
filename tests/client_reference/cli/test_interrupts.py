"""An interrupt ends the command at once, and prints how to continue each task."""

import json
import signal
import threading
from pathlib import Path
from threading import Event

import httpx
import pytest

from client_reference.command import actions, execution
from tests.client_reference.cli.conftest import Call, Mock, scripted
from tests.client_reference.cli.loopback import serving
from tests.client_reference.cli.processes import on_terminal, running
from tests.client_reference.scripted import Service, accepts
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.usefixtures("interruptible")


def test_interrupt_prints_the_command_to_continue(mock: Mock, tmp_path: Path) -> None:
    directory = tmp_path / "my pictures"
    with running("generate", "a fox", "-o", str(directory), **mock.variables) as command:
        command.read_until("submitted ")
        command.signal(signal.SIGINT)
        ended = command.end()

    (task_id,) = mock.task_ids()
    assert (ended.status, ended.output) == (130, "")
    assert ended.errors.endswith(
        f"Interrupted; continue with: client-reference wait -o '{directory}' {task_id}\n"
    )


def test_interrupted_batch_prints_a_command_for_each_task(mock: Mock, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\n" * 20, "utf-8")
    with running("batch", str(file), **mock.variables) as command:
        command.read_until("submitted ", times=20)
        command.signal(signal.SIGINT)
        ended = command.end()

    lines = ended.errors.splitlines()
    assert ended.status == 130
    assert "Interrupted; 20 tasks are in progress, continue with:" in lines
    assert set(lines) >= {f"client-reference wait {task_id}" for task_id in mock.task_ids()}


def test_second_interrupt_does_not_truncate_the_list(mock: Mock, tmp_path: Path) -> None:
    """The list does not fit into the pipe, so it is still being written at the second signal."""
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\n" * 100, "utf-8")
    directory = str(tmp_path.joinpath(*["a" * 200] * 10))
    arguments = ["batch", str(file), "--concurrency", "100", "-o", directory]
    with running(*arguments, **mock.variables) as command:
        command.read_until("submitted ", times=100)
        command.signal(signal.SIGINT)
        command.read_until("continue with:")
        command.signal(signal.SIGINT)
        ended = command.end()

    assert ended.status == 130
    assert ended.errors.count(f"client-reference wait -o {directory} task_") == 100


@pytest.mark.parametrize("command", ["generate", "batch"])
def test_interrupted_submit_may_have_been_accepted(tmp_path: Path, command: str) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\na cat\n", "utf-8")
    with (
        serving() as hanging,
        running(command, str(file), APIXO_API_KEY="sk", APIXO_BASE_URL=hanging.url) as asking,
    ):
        assert hanging.was_asked.wait(PATIENCE_S)
        asking.signal(signal.SIGINT)
        ended = asking.end()

    assert ended.status == 130
    assert "may have been accepted" in ended.errors
    assert "Traceback" not in ended.errors


def test_interrupted_batch_lists_a_task_whose_submit_is_answered_late(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(actions, "_LAST_RESPONSES_S", PATIENCE_S)
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\n", "utf-8")
    is_interrupted = Event()
    join_threads = execution.join_threads

    def join(timeout_s: float) -> None:
        is_interrupted.set()
        join_threads(timeout_s)

    def answer_after_the_interrupt(request: httpx.Request) -> httpx.Response:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        assert is_interrupted.wait(PATIENCE_S)
        return accepts()(request)

    monkeypatch.setattr(actions, "join_threads", join)
    service = Service(submit=[answer_after_the_interrupt])
    ended = call("batch", str(file), client=scripted(service))

    assert ended.status == 130
    assert "Interrupted; continue with: client-reference wait task_1" in ended.errors
    assert "may have been accepted" not in ended.errors


def test_interrupt_is_a_json_event() -> None:
    variables = {"APIXO_API_KEY": "sk"}
    with (
        serving() as hanging,
        running("generate", "a", "--json", APIXO_BASE_URL=hanging.url, **variables) as asking,
    ):
        assert hanging.was_asked.wait(PATIENCE_S)
        asking.signal(signal.SIGINT)
        ended = asking.end()

    event = json.loads(ended.output)
    assert event == {"event": "interrupted", "task_ids": [], "may_have_been_accepted": 1}


def test_interrupted_balance_prints_one_line() -> None:
    with (
        serving() as hanging,
        running("balance", APIXO_API_KEY="sk", APIXO_BASE_URL=hanging.url) as asking,
    ):
        assert hanging.was_asked.wait(PATIENCE_S)
        asking.signal(signal.SIGINT)
        ended = asking.end()

    assert (ended.status, ended.errors) == (130, "Interrupted\n")


def test_cursor_is_visible_after_an_interrupt(mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock pending=0s hold]]")
    with on_terminal("wait", task_id, output_too=True, **mock.variables) as command:
        command.read_until("processing")
        command.signal(signal.SIGINT)
        ended = command.end()

    assert ended.status == 130
    assert ended.errors.rindex("\x1b[?25h") > ended.errors.rindex("\x1b[?25l")
