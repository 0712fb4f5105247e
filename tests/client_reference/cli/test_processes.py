"""Streams and exit statuses of the command, against a mock and against broken servers."""

import json
import subprocess
import sys

import pytest

from tests.client_reference.cli.conftest import Command, Mock
from tests.client_reference.cli.loopback import envelope, nobody, says, serving
from tests.client_reference.cli.processes import COMMAND, environment, run
from tests.patience import PATIENCE_S

KEY = "sk-secret-7f3a91"
FAILS_AT_ONCE = {"refuse": {"status": 400, "fail": "NSFW", "message": "no foxes"}}
AT_ONCE = "[[mock pending=0s processing=0s]]"


def test_balance_prints_only_the_number(mock: Mock) -> None:
    ended = run("balance", **mock.variables)

    assert (ended.status, ended.output, ended.errors) == (0, "100000.0\n", "")


def test_package_can_be_run_as_a_module(mock: Mock) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "client_reference", "balance", "--json"],
        capture_output=True,
        env=environment(mock.variables),
        timeout=PATIENCE_S,
        check=True,
    )

    assert json.loads(ended.stdout) == {"event": "balance", "balance": "100000.0"}


def test_wait_prints_readable_lines(command_here: Command, mock: Mock) -> None:
    task_id = mock.submit(f"a fox {AT_ONCE}")

    ended = command_here("wait", task_id, **mock.variables)

    assert ended.status == 0
    assert [line.split()[0] for line in ended.output.splitlines()] == [
        "task", "state", "took", "result",
    ]  # fmt: skip
    assert ended.errors == f"{task_id}: success\n"


def test_wait_for_a_failed_task_prints_its_code_to_stderr(
    command_here: Command, mock: Mock
) -> None:
    task_id = mock.submit("a fox [[mock fail=CONTENT_VIOLATION pending=0s processing=0s]]")

    ended = command_here("wait", task_id, **mock.variables)

    assert (ended.status, ended.output) == (1, "")
    assert f"task {task_id} failed: CONTENT_VIOLATION" in ended.error
    assert "continue with" not in ended.error


def test_status_of_a_failed_task_is_exit_0(command_here: Command, mock: Mock) -> None:
    task_id = mock.submit("a fox [[mock fail=CONTENT_VIOLATION pending=0s processing=0s]]")

    ended = command_here("status", task_id, **mock.variables)

    assert (ended.status, ended.errors) == (0, "")
    assert "failure  CONTENT_VIOLATION" in ended.output


def test_task_timeout_is_exit_4_with_its_id(command_here: Command, mock: Mock) -> None:
    ended = command_here("generate", "a fox", "--timeout", "0", **mock.variables)

    (task_id,) = mock.task_ids()
    assert (ended.status, ended.output) == (4, "")
    assert ended.errors.startswith(f"submitted {task_id}\n")
    assert ended.errors.endswith(f"continue with: client-reference wait {task_id}\n")


@pytest.mark.parametrize(
    ("key", "arguments", "advice"),
    [
        pytest.param("sk-invalid", ("balance",), "check APIXO_API_KEY", id="key"),
        pytest.param("sk-forbidden", ("balance",), "the permissions and the", id="permission"),
        pytest.param("sk-broke", ("generate", "a fox"), "add credit", id="credit"),
        pytest.param("sk-other", ("status", "task_1"), "and the task id", id="task"),
    ],
)
def test_rejection_is_exit_3_and_says_what_to_do(
    command_here: Command, mock: Mock, key: str, arguments: tuple[str, ...], advice: str
) -> None:
    ended = command_here(*arguments, **mock.variables | {"APIXO_API_KEY": key})

    assert (ended.status, ended.output) == (3, "")
    assert advice in ended.error


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_submit_that_fails_at_once_is_exit_1_like_a_failed_task(
    command_here: Command, mock: Mock, options: tuple[str, ...]
) -> None:
    mock.server.post("/_mock/next", {"apply": FAILS_AT_ONCE}, mock.key)

    ended = command_here("generate", "a fox", *options, **mock.variables)

    assert ended.status == 1
    assert "Error: the submit failed: NSFW: no foxes" in ended.errors
    assert mock.task_ids() == set()
    if options:
        failed = {"event": "failed", "fail_code": "NSFW", "fail_msg": "no foxes"}
        assert [json.loads(line) for line in ended.output.splitlines()] == [failed]


def test_submit_to_an_unknown_path_suggests_the_base_url(command_here: Command, mock: Mock) -> None:
    elsewhere = {"APIXO_BASE_URL": mock.variables["APIXO_BASE_URL"] + "/elsewhere"}
    ended = command_here("generate", "a fox", **mock.variables | elsewhere)

    assert ended.status == 3
    assert "unknown path" in ended.error
    assert "check APIXO_BASE_URL" in ended.error


def test_unreachable_service_is_exit_3(command_here: Command) -> None:
    ended = command_here(
        "generate", "a", "--timeout", "0", APIXO_API_KEY=KEY, APIXO_BASE_URL=nobody()
    )

    assert (ended.status, ended.output) == (3, "")
    assert "check APIXO_BASE_URL" in ended.error


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(envelope(500), id="500"),
        pytest.param(says(200, b"<html>hello</html>"), id="html"),
        pytest.param(says(200, b""), id="empty"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="no-http"),
        pytest.param(b"", id="closed"),
    ],
)
def test_submit_without_a_valid_response_may_have_been_accepted(
    command_here: Command, answer: bytes
) -> None:
    with serving(answer) as broken:
        ended = command_here("generate", "a fox", APIXO_API_KEY=KEY, APIXO_BASE_URL=broken.url)

    assert (ended.status, ended.output) == (3, "")
    assert "may have been accepted" in ended.error
    assert "check the account" in ended.error


def test_service_text_is_escaped_and_redacted(
    command_here: Command,
) -> None:
    hostile = f"\x1b[2Jno\nway \x9b31m\u202e [red]{KEY}[/red]"
    with serving(envelope(400, {"error": hostile}, hostile)) as broken:
        ended = command_here("balance", APIXO_API_KEY=KEY, APIXO_BASE_URL=broken.url)

    assert ended.status == 3
    assert ended.error.isprintable()
    assert r"\x1b[2Jno\nway \x9b31m\u202e [red][api key][/red]" in ended.error


def test_character_that_the_encoding_lacks_is_escaped() -> None:
    task = {"taskId": "task_1", "state": "☃", "createTime": 1}
    variables = {"APIXO_API_KEY": KEY, "PYTHONIOENCODING": "latin-1"}
    with serving(envelope(200, task)) as snowy:
        ended = run("status", "task_1", APIXO_BASE_URL=snowy.url, **variables)

    assert (ended.status, ended.errors) == (0, "")
    assert r"state    \u2603" in ended.output


def test_retry_prints_a_line_and_the_result_follows(command_here: Command) -> None:
    busy = envelope(503, message="\x1b[2Jbusy", Retry_After="0")
    with serving(busy, envelope(200, 74.87)) as broken:
        ended = command_here("balance", APIXO_API_KEY=KEY, APIXO_BASE_URL=broken.url)

    assert (ended.status, ended.output) == (0, "74.87\n")
    assert ended.error == r"503 \x1b[2Jbusy; retrying in 0 s (2 of 5)"


def test_broken_pipe_is_exit_141_without_a_message(mock: Mock) -> None:
    with subprocess.Popen(
        [COMMAND, "balance"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(mock.variables),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (141, b"")


def test_full_standard_error_does_not_end_a_paid_task(mock: Mock) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device, not a path of ours
        ended = subprocess.run(
            [COMMAND, "generate", f"a fox {AT_ONCE}", "--poll-after", "0"],
            stdout=subprocess.PIPE,
            stderr=full,
            env=environment(mock.variables),
            timeout=PATIENCE_S,
            check=False,
        )

    assert ended.returncode == 0
    assert ended.stdout.startswith(b"http")


def test_full_disk_is_exit_3_with_the_task_id(mock: Mock) -> None:
    task_id = mock.submit(f"a fox {AT_ONCE}")
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device, not a path of ours
        ended = subprocess.run(
            [COMMAND, "wait", task_id],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(mock.variables),
            timeout=PATIENCE_S,
            check=False,
        )

    last = ended.stderr.decode().splitlines()[-1]
    assert ended.returncode == 3
    assert last.startswith("Error: cannot write the output: No space left on device")
    assert task_id in last


def test_debug_log_contains_no_key(mock: Mock) -> None:
    ended = run("balance", "--debug", **mock.variables)

    assert "GET /api/v1/apikeys/current-balance: 200" in ended.error
    assert mock.key not in ended.errors
