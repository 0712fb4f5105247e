"""Invalid usage is exit status 2 with one line, before anything is sent."""

import re
from pathlib import Path

import pytest

from tests.client_reference.cli.conftest import Command
from tests.client_reference.cli.loopback import nobody
from tests.client_reference.cli.processes import run

NOBODY = nobody()
KEY = {"APIXO_API_KEY": "sk-secret-7f3a91", "APIXO_BASE_URL": NOBODY}


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        pytest.param(("wait", "t", "--poll-every", "0"), "--poll-every: must be", id="no-pause"),
        pytest.param(("batch", "-", "--poll-after", "-1"), "--poll-after: must be", id="before"),
        pytest.param((), "Missing command", id="nothing"),
        pytest.param(("paint",), "paint", id="unknown-command"),
        pytest.param(("balance", "--api-key", "sk"), "--api-key", id="a-key-on-the-command-line"),
        pytest.param(("generate",), "PROMPT", id="no-prompt"),
        pytest.param(("generate", ""), "PROMPT: must be", id="empty-prompt"),
        pytest.param(("generate", "a" * 10_001), "PROMPT: must be", id="long-prompt"),
        pytest.param(("generate", "a fox", "a cat"), "a cat", id="two-prompts"),
        pytest.param(("generate", "a fox", "--num-images", "3"), "--num-images", id="three"),
        pytest.param(("generate", "a fox", "--num-images", "x"), "--num-images", id="no-number"),
        pytest.param(("generate", "a fox", "--aspect-ratio", "4:3"), "--aspect-ratio", id="ratio"),
        pytest.param(("generate", "a fox", "--image-url", "x"), "--image-url", id="image-url"),
        pytest.param(("generate", "a fox", "--provider", "x"), "--provider", id="provider"),
        pytest.param(("generate", "a fox", "--timeout", "-1"), "--timeout", id="timeout"),
        pytest.param(("generate", "a fox", "--timeout", "nan"), "--timeout", id="nan"),
        pytest.param(("status",), "ID", id="no-id"),
        pytest.param(("status", ""), "ID: must be a string that is not empty", id="empty-id"),
        pytest.param(("wait", "task_1", "--timeout", "inf"), "--timeout", id="endless"),
        pytest.param(("batch", "/nowhere/p.txt"), "/nowhere/p.txt: No such file", id="no-file"),
        pytest.param(("batch", "-"), "contains no prompt", id="no-prompts"),
        pytest.param(("batch", "/dev/null", "--concurrency", "x"), "--concurrency", id="how-many"),
    ],
)
def test_invalid_usage_is_exit_2_and_names_the_argument(
    command_here: Command, arguments: tuple[str, ...], naming: str
) -> None:
    ended = command_here.on(b" \n\n", *arguments, **KEY)

    assert (ended.status, ended.output) == (2, "")
    assert ended.error.startswith("Error: ")
    assert naming in ended.error


def test_invalid_usage_of_the_process_is_exit_2() -> None:
    ended = run("paint", **KEY)

    assert (ended.status, ended.output) == (2, "")
    assert ended.error.startswith("Error: ")


def test_concurrency_over_the_limit_is_rejected(command_here: Command, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("a fox\n", "utf-8")

    ended = command_here("batch", str(file), "--concurrency", "1001", **KEY)

    assert (ended.status, "--concurrency: must be" in ended.error) == (2, True)


def test_file_that_is_not_utf_8_is_rejected(command_here: Command) -> None:
    ended = command_here.on(b"a f\xf6x\n", "batch", "-", **KEY)

    assert (ended.status, ended.error) == (2, "Error: -: is not UTF-8 at byte 3")


@pytest.mark.parametrize("key", [{}, {"APIXO_API_KEY": " "}], ids=["unset", "blank"])
def test_missing_api_key_message_names_its_variable(
    command_here: Command, key: dict[str, str]
) -> None:
    ended = command_here("generate", "a fox", APIXO_BASE_URL=NOBODY, **key)

    assert ended.status == 2
    assert "APIXO_API_KEY is not set" in ended.error


def test_invalid_base_url_message_names_its_variable(command_here: Command) -> None:
    ended = command_here("balance", APIXO_API_KEY="sk", APIXO_BASE_URL="ftp://service.test")

    assert (ended.status, "APIXO_BASE_URL" in ended.error) == (2, True)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"SSL_CERT_FILE": "/nowhere/certificates"}, id="certificates"),
        pytest.param({"ALL_PROXY": "gopher://127.0.0.1:9", "NO_PROXY": ""}, id="proxy"),
    ],
)
def test_broken_tls_or_proxy_environment_is_exit_2(
    command_here: Command, variables: dict[str, str]
) -> None:
    ended = command_here("balance", **KEY | variables)

    assert ended.status == 2
    assert ended.error.startswith("Error: ")


@pytest.mark.parametrize("below", ["", "sub/folder"], ids=["itself", "below-it"])
def test_output_directory_that_is_a_file_is_rejected(
    command_here: Command, tmp_path: Path, below: str
) -> None:
    file = tmp_path / "file"
    file.touch()

    ended = command_here("generate", "a fox", "-o", str(file / below), **KEY)

    assert (ended.status, f"cannot write to {file}: Not a directory" in ended.error) == (2, True)


def test_output_directory_that_is_not_writable_is_rejected(command_here: Command) -> None:
    ended = command_here("batch", "/dev/null", "-o", "/proc/results", **KEY)

    assert (ended.status, "-o /proc/results: cannot write" in ended.error) == (2, True)


def test_rejected_call_creates_no_directory(command_here: Command, tmp_path: Path) -> None:
    command_here("generate", "a fox", "--num-images", "3", "-o", str(tmp_path / "results"), **KEY)

    assert list(tmp_path.iterdir()) == []


def test_help_names_every_exit_status(command_here: Command) -> None:
    ended = command_here("--help")

    assert ended.status == 0
    assert re.findall(r"(?m)^    (\d+) ", ended.output) == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "130",
    ]


def test_version_is_printed(command_here: Command) -> None:
    ended = command_here("--version")

    assert re.fullmatch(r"client-reference \d+\.\d+\.\d+\n", ended.output)
