"""On a terminal a live line shows progress, and results stay apart from it."""

from pathlib import Path

import pytest

from tests.client_reference.cli.conftest import Mock
from tests.client_reference.cli.loopback import envelope, serving
from tests.client_reference.cli.processes import on_terminal

ERASED = "\x1b[2K"


def test_live_line_shows_state_elapsed_and_usual_time(mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock pending=0s hold]]")
    with on_terminal("wait", task_id, output_too=True, **mock.variables) as command:
        command.read_until("processing · 0:00 · usually about 0:30")


def test_task_id_stays_above_the_live_line(mock: Mock) -> None:
    with on_terminal("generate", "a fox", output_too=True, **mock.variables) as command:
        shown = command.read_until("pending · 0:0")

    (task_id,) = mock.task_ids()
    assert f"submitted {task_id}\r\n" in shown


def test_live_line_is_removed_before_the_result(mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock pending=0s processing=0s]]")
    with on_terminal("wait", task_id, output_too=False, **mock.variables) as command:
        ended = command.end()

    assert ended.status == 0
    assert ended.output.startswith(f"task     {task_id}\nstate    success\n")
    assert "usually about" in ended.errors
    assert "success" not in ended.errors.rpartition(ERASED)[2]


def test_live_line_of_a_batch_shows_its_counts(mock: Mock, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\na cat\n", "utf-8")
    with on_terminal("batch", str(file), output_too=True, **mock.variables) as command:
        command.read_until("0 of 2 ended, 0 in error · 2 submitted · 0:0")


@pytest.mark.parametrize("no_color", [{}, {"NO_COLOR": "1"}], ids=["color", "no-color"])
def test_service_text_is_not_markup_and_not_control_characters(
    no_color: dict[str, str],
) -> None:
    state = "[red]dreaming[/red]\x1b[31m"
    answer = envelope(200, {"taskId": "task_1", "state": state, "createTime": 1})
    with (
        serving(answer) as dreaming,
        on_terminal(
            "wait", "task_1", output_too=True,
            APIXO_API_KEY="sk", APIXO_BASE_URL=dreaming.url, **no_color,
        ) as command,
    ):  # fmt: skip
        shown = command.read_until(r"[red]dreaming[/red]\x1b[31m · ")

    assert "\x1b[31m" not in shown


def test_json_replaces_the_live_line(mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock pending=0s processing=0s]]")
    with on_terminal("wait", task_id, "--json", output_too=False, **mock.variables) as command:
        ended = command.end()

    assert (ended.status, ended.errors) == (0, "")
    assert '"event": "success"' in ended.output


def test_dumb_terminal_gets_plain_lines(mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock pending=0s processing=0s]]")
    with on_terminal("wait", task_id, output_too=False, TERM="dumb", **mock.variables) as command:
        ended = command.end()

    assert ended.errors == f"{task_id}: success\r\n"
