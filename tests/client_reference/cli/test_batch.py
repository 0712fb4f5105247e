"""`batch` prints the result of each prompt with its line; one error affects no other prompt."""

import json
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client_reference.command.cli import read_prompts
from tests.client_reference.cli.conftest import Call, Mock, scripted
from tests.client_reference.cli.processes import running
from tests.client_reference.pictures import PNG, gives
from tests.client_reference.scripted import Service, accepts, says, succeeds

PROMPTS = "\ufeffa fox\n\r\n  a cat  \r\n\t\na dog"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.txt"
    file.write_bytes(PROMPTS.encode())
    return file


def test_batch_prints_each_result_with_the_line_of_its_prompt(
    call: Call, mock: Mock, file: Path
) -> None:
    ended = call("batch", str(file), "--concurrency", "2")

    results = dict(line.split("\t") for line in ended.output.splitlines())
    assert ended.status == 0
    assert results.keys() == {"1", "3", "5"}
    assert len(set(results.values())) == 3
    assert ended.errors.splitlines()[-1].startswith("3 of 3 prompts succeeded, 0 failed")
    prompts = mock.server.get("/_mock/tasks", mock.key)["tasks"]
    assert {task["prompt"] for task in prompts} == {"a fox", "a cat", "a dog"}


def test_failed_prompt_is_exit_1_with_line_and_code(call: Call, file: Path) -> None:
    file.write_text("a fox\na cat [[mock fail=NSFW_DETECTED]]\n" + "x" * 10_001, "utf-8")

    ended = call("batch", str(file))

    assert ended.status == 1
    assert [line.split("\t")[0] for line in ended.output.splitlines()] == ["1"]
    assert "Error: line 2: task " in ended.errors
    assert "failed: NSFW_DETECTED" in ended.errors
    assert "Error: line 3: PROMPT: must be" in ended.errors
    assert ended.errors.endswith("1 of 3 prompts succeeded, 1 failed, 1 ended in another error\n")


def test_first_other_error_of_a_batch_gives_the_exit_status(call: Call, file: Path) -> None:
    file.write_text("a fox [[mock hold]]\na cat\n", "utf-8")

    ended = call("batch", str(file), "--timeout", "60")

    assert ended.status == 4
    assert "line 1: task " in ended.errors
    assert "continue with: client-reference wait task_" in ended.errors


def test_batch_of_only_invalid_prompts_is_exit_2(call: Call, file: Path) -> None:
    file.write_text("x" * 10_001, "utf-8")

    assert call("batch", str(file)).status == 2


def test_batch_prints_each_file_with_the_line_of_its_prompt(
    call: Call, file: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "results"

    ended = call("batch", str(file), "-o", str(directory), "--num-images", "2")

    named = {Path(line.split("\t")[1]) for line in ended.output.splitlines()}
    assert ended.status == 0
    assert len(named) == 6
    assert named == set(directory.iterdir())


def test_expired_result_does_not_end_a_batch(call: Call, file: Path, tmp_path: Path) -> None:
    file.write_text("a fox\na cat\n", "utf-8")
    service = Service(submit=[accepts()], status=[succeeds()], result=[says(404), gives(PNG)])

    ended = call(
        "batch", str(file), "--concurrency", "1", "-o", str(tmp_path), client=scripted(service)
    )

    assert ended.status == 3
    assert "HTTP 404" in ended.errors
    assert ended.output.endswith(f"\t{tmp_path}/task_1-1.png\n")
    assert ended.errors.endswith("1 of 2 prompts succeeded, 0 failed, 1 ended in another error\n")


def test_batch_write_error_prints_the_command_to_continue(
    call: Call, file: Path, tmp_path: Path
) -> None:
    file.write_text("a fox\n", "utf-8")
    directory = tmp_path / "results"

    def succeeds_late(request: httpx.Request) -> httpx.Response:
        directory.touch()
        return succeeds()(request)

    service = Service(submit=[accepts()], status=[succeeds_late])
    ended = call("batch", str(file), "-o", str(directory), client=scripted(service))

    assert ended.status == 3
    assert f"line 1: {directory}: File exists; continue with: client-reference wait" in ended.errors


def test_json_batch_events_name_the_prompt_and_end_in_a_summary(call: Call, file: Path) -> None:
    file.write_text("\na fox\n\na cat [[mock fail=NSFW_DETECTED]]\n", "utf-8")

    ended = call("batch", str(file), "--json")

    events = [json.loads(line) for line in ended.output.splitlines()]
    by_name = {event["event"]: event for event in events}
    success, failed = by_name["success"], by_name["failed"]
    assert (success["index"], success["line"], success["prompt"]) == (0, 2, "a fox")
    assert (failed["index"], failed["line"], failed["fail_code"]) == (1, 4, "NSFW_DETECTED")
    assert events[-1] == {"event": "summary", "succeeded": 1, "failed": 1, "other_errors": 0}
    assert len(ended.errors.splitlines()) == 1


def test_broken_pipe_ends_a_batch_with_tasks_in_progress(mock: Mock, file: Path) -> None:
    file.write_text("a fox\n" * 5, "utf-8")
    with running("batch", str(file), "--json", **mock.variables) as command:
        assert command.process.stdout is not None
        command.process.stdout.close()
        command.process.stdout = None
        ended = command.end()

    assert (ended.status, ended.errors) == (141, "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), min_size=1))
def test_every_line_that_is_not_blank_is_a_prompt(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "any.txt"
    file.write_bytes("\n".join(["first", *lines]).encode())

    prompts = read_prompts(str(file))

    expected = [(number, line.strip()) for number, line in enumerate(["first", *lines], 1)]
    assert [(prompt.line, prompt.text) for prompt in prompts] == [
        (number, line) for number, line in expected if line
    ]
    assert [prompt.index for prompt in prompts] == list(range(len(prompts)))
