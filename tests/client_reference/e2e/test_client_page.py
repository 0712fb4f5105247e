"""The Python blocks of docs/client.md run, and print what the page says."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import client_reference
from mock_server.settings import Settings
from tests.mock_server.e2e.serving import running

PAGE = Path(__file__).parents[3] / "docs" / "client.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def promised(block: str) -> list[re.Pattern[str]]:
    """Return what the comments behind `print` promise, as patterns of whole lines."""
    comments = re.findall(r"\bprint\(.*\)  # (.+)$", block, re.MULTILINE)
    lines = [line for comment in comments for line in comment.split(", then ")]
    return [re.compile(".*".join(map(re.escape, line.split("…")))) for line in lines]


def test_code_blocks_of_the_client_page_print_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    monkeypatch.chdir(tmp_path)

    with running(Settings(speed=100)) as mock:  # mock-server --speed 100
        monkeypatch.setenv("APIXO_API_KEY", "my-key")
        monkeypatch.setenv("APIXO_BASE_URL", mock.url)
        for block in BLOCKS:
            printed = StringIO()
            with redirect_stdout(printed):
                exec(compile(block, str(PAGE), "exec"), names)

            lines, patterns = printed.getvalue().splitlines(), promised(block)
            said = {line: [each for each in patterns if each.fullmatch(line)] for line in lines}
            assert [line for line in lines if not said[line]] == [], "not promised"
            assert set(patterns) == {each for found in said.values() for each in found}, "not said"


def test_every_code_block_of_the_client_page_is_tested() -> None:
    languages = re.findall(r"```(\w+)", TEXT)

    assert set(languages) == {"python", "bash", "text"}
    assert languages.count("python") == len(BLOCKS)


def test_client_page_shows_the_whole_tree_of_errors() -> None:
    tree = re.search(r"^```text\n(ApixoError.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)

    assert tree is not None
    assert set(re.findall(r"^[│├└─ ]*([A-Z]\w+)", tree[1], re.MULTILINE)) == {
        name
        for name, value in vars(client_reference).items()
        if isinstance(value, type) and issubclass(value, client_reference.ApixoError)
    }
