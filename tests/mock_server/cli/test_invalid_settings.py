"""An invalid setting stops the start with one line that names it, wherever it is from."""

import json
from pathlib import Path

import pytest

from mock_server.domain.errors import InvalidValue
from mock_server.domain.setting import Declaration, declarations
from mock_server.settings import Settings, load_settings
from mock_server.settings.server import switch, variable
from mock_server.wiring import MockServer
from tests.mock_server.cli.commands import run
from tests.mock_server.cli.in_process import Ended, Run, assert_stopped

WRONG = {
    "host": "",
    "port": "65536",
    "tls": "maybe",
    "seed": "-1",
    "clock": "fast",
    "speed": "0",
    "generation_time": "soon",
    "rate_limit": "0",
    "max_concurrent": "many",
    "api_key": " ",
    "balance": "-1",
    "public_url": "ftp://cdn.example.com",
    "egress": "everywhere",
    "image_urls": "maybe",
    "strict": "perhaps",
    "admin_token": " ",
    "log_format": "xml",
    "log_level": "loud",
    "cors": "localhost:5173",
    "insufficient_credits_status": "403",
    "retry_after": "perhaps",
    "image_fail_codes": "all",
    "task_ids": "odd",
    "price": "cheap",
    "result_ttl": "-15d",
    "callback_timeout": "1 fortnight",
    "body_limit": "10",
    "max_tasks": "0",
    "journal_memory": "1000",
    "profile": "hostil",
    "provenance": "maybe",
    "allowed_host": " ",
}
BLANK = " "  # is invalid for every setting

SWITCHES = [each for each in declarations(Settings) if not each.setting.is_file_only]
CHECKED_LATE = {"moderation", "restore"}  # a path is any text until the file is opened
ANY_PORT = {"MOCK_SERVER_PORT": "0"}  # for errors that are found after the port is taken

every_switch = pytest.mark.parametrize("declared", SWITCHES, ids=lambda each: each.name)
every_path = pytest.mark.parametrize("name", sorted(CHECKED_LATE))


def problem(declared: Declaration, written: object) -> str:
    is_hidden = declared.setting.is_secret or declared.setting.form.has_secrets
    got = "" if is_hidden else f" (got {json.dumps(written)})"
    return f": must be {declared.must_be}{got}"


@every_switch
def test_invalid_switch_is_named_with_what_it_must_be(declared: Declaration, run_here: Run) -> None:
    wrong = WRONG.get(declared.name, BLANK)
    if declared.is_flag:
        assert_stopped(run_here(f"{switch(declared)}={wrong}"), naming=switch(declared))
    else:
        received = [wrong] if declared.is_repeated else wrong
        naming = f"{switch(declared)}{problem(declared, received)}"
        assert_stopped(run_here(switch(declared), wrong), naming=naming)


@every_switch
def test_invalid_environment_variable_is_named_with_what_it_must_be(
    declared: Declaration, run_here: Run
) -> None:
    wrong = WRONG.get(declared.name, BLANK)

    naming = f"{variable(declared)}{problem(declared, wrong)}"
    assert_stopped(run_here(**{variable(declared): wrong}), naming=naming)


@every_switch
def test_invalid_value_in_the_file_is_named_with_what_it_must_be(
    declared: Declaration, run_here: Run, tmp_path: Path
) -> None:
    wrong = WRONG.get(declared.name, BLANK)
    file = tmp_path / "mock.toml"
    file.write_text(f'{declared.name} = "{wrong}"\n', "utf-8")

    naming = f"{file}: {declared.name}{problem(declared, wrong)}"
    assert_stopped(run_here("--config", str(file)), naming=naming)


@every_path
def test_path_that_cannot_be_read_stops_the_start(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(f'{name} = "/nowhere/file"\n', "utf-8")
    sources = [
        load_settings({name: "/nowhere/file"}, {}, None),
        load_settings({}, {f"MOCK_SERVER_{name.upper()}": "/nowhere/file"}, None),
        load_settings({}, {}, file),
    ]

    for settings in sources:
        with pytest.raises(InvalidValue, match=f"--{name}: .*/nowhere/file"):
            MockServer(settings)


def test_error_suggests_the_nearest_word(run_here: Run) -> None:
    ended = run_here("--egress", "loopbak")

    assert 'must be one of loopback, private, public (got "loopbak"); did you mean' in ended.stderr


@pytest.mark.parametrize("name", ["api_key", "admin_token"])
def test_error_about_a_secret_does_not_show_it(name: str, run_here: Run, tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(f'{name} = ["", {{secret = "sk-secret"}}]\n', "utf-8")
    ended = run_here("--config", str(file))

    assert_stopped(ended, naming=name)
    assert "sk-secret" not in ended.stderr


def test_secrets_are_in_no_text_of_the_settings() -> None:
    settings = Settings(api_key=("sk-secret",), admin_token="hush-hush")

    assert not {"api_key", "admin_token"} & settings.shown().keys()
    for text in (repr(settings), str(settings), str(settings.shown())):
        assert "sk-secret" not in text
        assert "hush-hush" not in text


def test_unknown_switch_is_named(run_here: Run) -> None:
    assert_stopped(run_here("--prot", "0"), naming="--prot")


def test_switch_without_its_value_is_named(run_here: Run) -> None:
    assert_stopped(run_here("--port"), naming="--port")


def test_superfluous_argument_is_named(run_here: Run) -> None:
    assert_stopped(run_here("8080"), naming="8080")


def test_process_ends_with_one_line_and_status_2() -> None:
    ended = run("--rate-limit", "abc")

    naming = '--rate-limit: must be a whole number from 1 to 10000000 (got "abc")'
    assert_stopped(Ended(ended.returncode, ended.stdout, ended.stderr), naming=naming)


@pytest.mark.parametrize(
    ("content", "naming"),
    [
        pytest.param("prot = 0", 'prot: is not a setting; did you mean "port"?', id="unknown-key"),
        pytest.param("[server]\nport = 0", "server: is not a setting", id="table"),
        pytest.param("port: 0", "cannot be read as TOML", id="no-toml"),
        pytest.param("port = 0\nport = 1", "cannot be read as TOML", id="key-twice"),
        pytest.param(f"port = {'1' * 10_000}", "cannot be read as TOML", id="huge-number"),
        pytest.param(f"cors = {'[' * 10_000}", "cannot be read as TOML", id="nested"),
        pytest.param("port = true", "port: must be", id="wrong-type"),
        pytest.param("port = 1.5", "port: must be", id="wrong-number"),
        pytest.param("rate_limit = []", "rate_limit: must be", id="list"),
        pytest.param("api_key = [1]", "api_key: must be", id="list-of-the-wrong-type"),
        pytest.param("clock = 1979-05-27", "clock: must be", id="date"),
        pytest.param("speed = nan", "speed: must be", id="nan"),
        pytest.param("balance = inf", "balance: must be", id="endless"),
    ],
)
def test_invalid_file_is_named_with_its_problem(
    run_here: Run, tmp_path: Path, content: str, naming: str
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(content, "utf-8")
    ended = run_here("--config", str(file))

    assert_stopped(ended, naming=naming)
    assert str(file) in ended.stderr


@pytest.mark.parametrize("switch", ["--config", "--restore", "--moderation"])
def test_missing_file_is_named_once_with_the_reason(switch: str) -> None:
    ended = run(switch, "/nowhere/mock.toml", **ANY_PORT)

    assert_stopped(
        Ended(ended.returncode, ended.stdout, ended.stderr), naming="No such file or directory"
    )
    assert ended.stderr.count("/nowhere/mock.toml") == 1
    assert "Errno" not in ended.stderr


def test_word_list_with_an_invalid_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("gore\ntwo words\n", "utf-8")
    ended = run("--moderation", str(file), **ANY_PORT)

    assert_stopped(Ended(ended.returncode, ended.stdout, ended.stderr), naming=str(file))
    assert "line 2" in ended.stderr


def test_deeply_nested_file_is_one_clear_line(run_here: Run, tmp_path: Path) -> None:
    config = tmp_path / "deep.toml"
    config.write_text(f"seed = {'[' * 5000}{']' * 5000}")

    assert_stopped(run_here("--config", str(config)), naming="deep.toml")


def test_empty_name_of_a_file_is_an_error(run_here: Run) -> None:
    assert_stopped(run_here("--config", ""), naming="cannot be read")
