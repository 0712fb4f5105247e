"""The pages about the settings say what the command accepts."""

import json
from pathlib import Path

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.setting import declarations
from mock_server.settings import Settings
from mock_server.settings.reference_page import reference_page
from mock_server.settings.server import default_text, switch, variable
from tests.mock_server.cli.in_process import Run

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
PAGE = (ROOT / "docs/settings.md").read_text("utf-8")


def test_page_of_the_settings_is_current() -> None:
    assert reference_page() == PAGE, "run `make docs`"


def test_schema_of_the_configuration_file_is_current(run_here: Run) -> None:
    ended = run_here("schema")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (ROOT / "docs/mock-server.schema.json").read_text("utf-8"), "make docs"


def test_page_names_every_switch_variable_and_key() -> None:
    for each in declarations(Settings):
        if each.setting.is_file_only:
            assert f"`[[{each.name}]]`" in PAGE
        else:
            assert f"| `{switch(each)}" in PAGE
            assert f"| `{variable(each)}` | `{each.name}` | {default_text(each)} |" in PAGE


def test_readme_links_to_the_page() -> None:
    assert "(docs/settings.md)" in README


def test_documented_defaults_are_those_of_the_catalogue() -> None:
    """Their words stand in the declarations, since a model's entry has the values."""
    model = next(iter(load_catalogue(Settings()).models.values()))
    words = {each.name: default_text(each) for each in declarations(Settings)}

    assert words["price"] == str(model.price_usd)
    assert words["result_ttl"] == f"{model.result_ttl_s / 86_400:g}d"
    assert words["generation_time"] == f"{model.timing.generation_time_s:g}s"


def test_schema_describes_every_setting_and_its_default() -> None:
    schema = json.loads((ROOT / "docs/mock-server.schema.json").read_text("utf-8"))

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == [each.name for each in declarations(Settings)]
    assert all(each["description"] for each in schema["properties"].values())
    assert schema["properties"]["callback_timeout"]["default"] == 30
    assert schema["properties"]["balance"]["default"] == 100_000
