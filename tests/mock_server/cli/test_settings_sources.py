"""Settings from the command line, the environment and a file: which of them has precedence."""

from pathlib import Path

from tests.mock_server.cli.commands import started
from tests.mock_server.cli.in_process import StartHere


def test_command_line_overrides_environment_and_environment_overrides_file(
    start_here: StartHere, tmp_path: Path
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text("rate_limit = 1\nmax_concurrent = 1\nbalance = 1\nstrict = true\n", "utf-8")
    variables = {"MOCK_SERVER_RATE_LIMIT": "2", "MOCK_SERVER_MAX_CONCURRENT": "2"}
    settings = start_here(
        "--config", str(file), "--rate-limit", "3", "--no-strict", **variables
    ).settings

    shown = settings.shown()
    chosen = {name: shown[name] for name in ("rate_limit", "max_concurrent", "balance", "strict")}
    assert chosen == {"rate_limit": 3, "max_concurrent": 2, "balance": 1, "strict": False}


def test_file_named_by_the_environment_may_have_keys_with_hyphens(
    start_here: StartHere, tmp_path: Path
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text('rate-limit = 5\nresult-ttl = "1d"\napi_key = ["sk-one"]\n', "utf-8")
    settings = start_here(MOCK_SERVER_CONFIG=str(file)).settings

    assert (settings.rate_limit, settings.result_ttl_ms) == (5, 86_400_000)
    assert settings.api_key == ("sk-one",)


def test_keys_are_listed_in_the_environment_and_by_repeated_switches(start_here: StartHere) -> None:
    by_environment = start_here(MOCK_SERVER_API_KEY="sk-one, sk-two").settings
    by_switches = start_here("--api-key", "sk-one", "--api-key", "sk-two").settings

    assert by_environment.api_key == by_switches.api_key == ("sk-one", "sk-two")


def test_unknown_variable_that_looks_like_a_setting_is_pointed_out(start_here: StartHere) -> None:
    notices = start_here(MOCK_SERVER_PROT="1").notices

    assert notices == ['MOCK_SERVER_PROT: is not a setting; did you mean "MOCK_SERVER_PORT"?']


def test_started_server_has_the_settings_and_logs_its_notices() -> None:
    with started("--api-key", "sk-one", MOCK_SERVER_PROT="1", MOCK_SERVER_RATE_LIMIT="5") as server:
        settings = server.get("/_mock/info")["settings"]
        sandbox = server.get("/_mock/sandbox", key="sk-one")
        _, _, errors = server.stop(15)

    assert settings["rate_limit"] == sandbox["settings"]["rate_limit"] == 5
    assert "MOCK_SERVER_PROT: is not a setting" in errors
