"""Settings from the command line, the environment and a file; what is wrong stops the start."""

import subprocess
from pathlib import Path

import pytest

from mock_server.options import OPTIONS, Option
from tests.mock_server.cli.commands import run, started

WRONG = {
    "host": "",
    "port": "65536",
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
    "insufficient_credits_status": "403",
    "retry_after": "perhaps",
    "image_fail_codes": "all",
    "task_ids": "odd",
    "price": "cheap",
    "result_ttl": "-15d",
    "moderation": "/nowhere/words.txt",
    "callback_timeout": "1 fortnight",
    "body_limit": "10",
    "max_tasks": "0",
    "profile": "hostil",
    "provenance": "maybe",
    "restore": "/nowhere/snapshot.json",
    "allowed_host": " ",
}
FLAGS = {option.name for option in OPTIONS if option.metavar is None}
RAN_INTO_IT_LATE = {"moderation", "restore"}  # a path is a path until it is opened
ANY_PORT = {"MOCK_SERVER_PORT": "0"}  # for what is found out when the port is taken already

every_option = pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)


def assert_stopped(ended: subprocess.CompletedProcess[str], *, naming: str) -> None:
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("mock-server: ")
    assert naming in ended.stderr


def port_of(option: Option) -> dict[str, str]:
    return ANY_PORT if option.name in RAN_INTO_IT_LATE else {}


def test_every_option_has_a_wrong_value_to_be_tried() -> None:
    assert set(WRONG) == {option.name for option in OPTIONS}


@every_option
def test_a_wrong_switch_stops_the_start(option: Option) -> None:
    wrong = WRONG[option.name]
    naming = wrong if option.name in RAN_INTO_IT_LATE else option.switch
    arguments = [f"{option.switch}={wrong}"] if option.name in FLAGS else [option.switch, wrong]

    assert_stopped(run(*arguments, **port_of(option)), naming=naming)


@every_option
def test_a_wrong_environment_variable_stops_the_start(option: Option) -> None:
    wrong = WRONG[option.name]
    naming = wrong if option.name in RAN_INTO_IT_LATE else option.variable

    assert_stopped(run(**port_of(option) | {option.variable: wrong}), naming=naming)


@every_option
def test_a_wrong_value_in_the_file_stops_the_start(option: Option, tmp_path: Path) -> None:
    wrong = WRONG[option.name]
    file = tmp_path / "mock.toml"
    file.write_text(f'{option.name} = "{wrong}"\n', "utf-8")
    naming = wrong if option.name in RAN_INTO_IT_LATE else f"{file}: {option.name}: "

    assert_stopped(run("--config", str(file), **port_of(option)), naming=naming)


@pytest.mark.parametrize("option", ["api_key", "admin_token"])
def test_a_wrong_secret_is_not_shown(option: str, tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(f'{option} = ["", {{secret = "sk-secret"}}]\n', "utf-8")
    ended = run("--config", str(file))

    assert_stopped(ended, naming=option)
    assert "sk-secret" not in ended.stderr


def test_an_unknown_switch_is_named() -> None:
    assert_stopped(run("--prot", "0"), naming="--prot")


def test_a_switch_without_its_value_is_named() -> None:
    assert_stopped(run("--port"), naming="--port")


def test_a_superfluous_argument_is_named() -> None:
    assert_stopped(run("8080"), naming="8080")


@pytest.mark.parametrize(
    ("content", "naming"),
    [
        pytest.param("prot = 0", "prot: is not a setting; did you mean 'port'?", id="unknown-key"),
        pytest.param("[server]\nport = 0", "server: is not a setting", id="table"),
        pytest.param("port: 0", "cannot be read as TOML", id="no-toml"),
        pytest.param("port = 0\nport = 1", "cannot be read as TOML", id="key-twice"),
        pytest.param("port = true", "port: must be", id="wrong-type"),
        pytest.param("port = 1.5", "port: must be", id="wrong-number"),
        pytest.param("rate_limit = []", "rate_limit: must be", id="list"),
        pytest.param("api_key = [1]", "api_key: must be", id="list-of-the-wrong-type"),
        pytest.param("clock = 1979-05-27", "clock: must be", id="date"),
        pytest.param("speed = nan", "speed: must be", id="nan"),
        pytest.param("balance = inf", "balance: must be", id="endless"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong_in_it(
    tmp_path: Path, content: str, naming: str
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(content, "utf-8")
    ended = run("--config", str(file))

    assert_stopped(ended, naming=naming)
    assert str(file) in ended.stderr


def test_a_file_that_is_not_there_is_named() -> None:
    assert_stopped(run("--config", "/nowhere/mock.toml"), naming="/nowhere/mock.toml")


def test_a_word_list_with_a_line_that_is_no_word_is_named(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("gore\ntwo words\n", "utf-8")
    ended = run("--moderation", str(file), **ANY_PORT)

    assert_stopped(ended, naming=str(file))
    assert "line 2" in ended.stderr


def test_the_command_line_goes_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text("rate_limit = 1\nmax_concurrent = 1\nbalance = 1\nstrict = true\n", "utf-8")
    variables = {"MOCK_SERVER_RATE_LIMIT": "2", "MOCK_SERVER_MAX_CONCURRENT": "2"}
    with started("--config", str(file), "--rate-limit", "3", "--no-strict", **variables) as server:
        settings = server.get("/_mock/info")["settings"]

    shown = {name: settings[name] for name in ("rate_limit", "max_concurrent", "balance", "strict")}
    assert shown == {"rate_limit": 3, "max_concurrent": 2, "balance": 1, "strict": False}


def test_a_file_can_be_named_by_the_environment_and_write_keys_with_hyphens(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text('port = 0\nrate-limit = 5\nresult-ttl = "1d"\napi_key = ["sk-one"]\n', "utf-8")
    with started(MOCK_SERVER_CONFIG=str(file)) as server:
        settings = server.get("/_mock/info")["settings"]
        sandbox = server.get("/_mock/sandbox", key="sk-one")

    assert (settings["rate_limit"], settings["result_ttl"]) == (5, 86_400)
    assert sandbox["settings"]["rate_limit"] == 5


def test_keys_can_be_listed_in_the_environment_and_by_repeated_switches() -> None:
    with started(MOCK_SERVER_API_KEY="sk-one, sk-two") as server:
        by_environment = [server.get("/_mock/sandbox", key=key) for key in ("sk-one", "sk-two")]
    with started("--api-key", "sk-one", "--api-key", "sk-two") as server:
        by_switches = [server.get("/_mock/sandbox", key=key) for key in ("sk-one", "sk-two")]

    assert [each["id"] for each in by_environment] == [each["id"] for each in by_switches]


def test_a_variable_that_looks_like_a_setting_is_pointed_out() -> None:
    with started(MOCK_SERVER_PROT="1") as server:
        _, _, errors = server.stop(15)

    assert "MOCK_SERVER_PROT: is not a setting; did you mean 'MOCK_SERVER_PORT'?" in errors


def test_a_file_nested_without_end_is_one_clear_line(tmp_path: Path) -> None:
    config = tmp_path / "deep.toml"
    config.write_text(f"seed = {'[' * 5000}{']' * 5000}")

    assert_stopped(run("--config", str(config)), naming="deep.toml")


def test_an_empty_name_of_a_file_is_not_passed_over() -> None:
    assert_stopped(run("--config", ""), naming="cannot be read")
