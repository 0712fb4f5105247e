"""`[[rules]]` in the settings file, and what is said of wrong ones."""

from pathlib import Path

import pytest

from mock_server.domain.errors import InvalidValue
from mock_server.settings import load_settings
from mock_server.wiring import MockServer
from tests.mock_server.e2e.serving import running

FILE = """
profile = "pro-plan"

[[rules]]
match = { prompt = "cat", nth = "2..3" }
apply = { refuse = { status = 503, retry_after = "date:7" } }

[[rules]]
apply = { outcome = { fail = "NSFW", processing = "1s" } }
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def test_every_sandbox_begins_with_the_rules_of_the_file(tmp_path: Path) -> None:
    with running(load_settings({}, {}, written(tmp_path, FILE))) as mock:
        api = mock.api("key")
        statuses = [api.try_submit({"input": {"prompt": "cat"}}).status_code for _ in range(3)]
        api.told("DELETE", "rules")
        api.control("DELETE", "sandbox")
        shown = api.told("GET", "rules")

    assert statuses == [200, 503, 503]
    assert [rule["match"] for rule in shown["rules"]] == [{"prompt": "cat", "nth": "2..3"}, {}]
    assert shown["profile"]["name"] == "pro-plan"


def test_values_of_header_conditions_are_not_shown_to_everybody(tmp_path: Path) -> None:
    """A condition on `Authorization` has an API key, and `/_mock/info` needs none."""
    rule = """
[[rules]]
match = { header = { Authorization = "Bearer sk-one-key" }, prompt = "cat" }
apply = { refuse = { status = 503 } }
"""
    settings = load_settings({}, {}, written(tmp_path, rule))
    with running(settings) as mock:
        [shown] = mock.http.get("/_mock/info").json()["settings"]["rules"]
        status = mock.api("sk-one-key").try_submit({"input": {"prompt": "cat"}}).status_code

    assert shown["match"] == {"header": {"Authorization": "[redacted]"}, "prompt": "cat"}
    assert status == 503
    assert "sk-one-key" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules = 1", r"rules: must be tables, each under \[\[rules\]\]"),
        ("[[rules]]\napply = {}", r"rules\[0\].apply: must have one of outcome"),
        ("[[rules]]\naply = 1", r'rules\[0\].aply: is unknown; did you mean "apply"\?'),
        ("[[rule]]\napply = 1", r'rule: is not a setting; did you mean "rules"\?'),
        ("profile = 'hostil'", "profile: must be one of calm, hostile, outage"),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        MockServer(load_settings({}, {}, written(tmp_path, text)))
