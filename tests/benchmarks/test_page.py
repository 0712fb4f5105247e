"""`benchmarks/page.py` writes the tables of docs/performance.md."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.errors import BenchError
from benchmarks.figures import FIGURES
from benchmarks.page import main, replaced
from benchmarks.parts import PARTS
from benchmarks.peers.contenders import CONTENDERS
from benchmarks.results import write_json
from tests.benchmarks.samples import peer_results, results

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/performance.md"


def files(folder: Path) -> list[str]:
    write_json(folder / "bench.json", results(task_bytes=523.4))
    write_json(folder / "peers.json", peer_results())
    return [str(folder / "bench.json"), str(folder / "peers.json")]


def test_tables_are_printed_in_markdown(tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, files(tmp_path)).stdout

    assert "Measured on 2026-11-28 at commit 0123456789ab: A CPU, 2 cores" in printed
    assert (
        "| `task_bytes` | memory per live task, 1,000,000 of them"
        " | ≤ 600 B | ≤ 500 B | 523 B | 523 B | 523 B |" in printed
    )
    assert "| wiremock | 3 | 950/s | 1.5 ms | 2.5 ms | 950/s | 1.5 ms | 2.5 ms |" in printed


def test_tables_can_be_written_into_the_page_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")

    texts = []
    for _ in range(2):
        ended = CliRunner().invoke(main, [*files(tmp_path), "--into", str(page)])
        assert ended.exit_code == 0, ended.output
        texts.append(page.read_text("utf-8"))

    assert "| 523 B |" in texts[0]
    assert texts[0] == texts[1]


def test_missing_file_of_the_peers_names_the_command_that_writes_it(tmp_path: Path) -> None:
    figures, _ = files(tmp_path)

    ended = CliRunner().invoke(main, [figures, str(tmp_path / "missing.json")])

    assert ended.exit_code == 2
    assert "missing.json: cannot be read: No such file" in ended.stderr
    assert ended.stderr.endswith("run `make bench-peers`\n")


def test_page_without_marks_is_rejected() -> None:
    with pytest.raises(BenchError, match="<!-- figures -->"):
        replaced("# A page\n", "figures", "content")


def test_page_names_every_part_with_its_rounds() -> None:
    section = PAGE.read_text("utf-8").partition("## Figures")[0]
    named = dict(re.findall(r"^\| `(\w+)` \| .* \| ([\w ]+) \|$", section, re.MULTILINE))

    assert named == {name: str(part.limits).removesuffix(" rounds") for name, part in PARTS.items()}


def test_page_names_every_server_that_is_compared() -> None:
    section = PAGE.read_text("utf-8").partition("## Other mock servers")[2]
    table = section.partition("<!-- end of peers -->")[2]

    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(CONTENDERS)


def test_parts_wait_for_figures_that_exist() -> None:
    decisive = {name for part in PARTS.values() for name in part.decisive}

    assert decisive <= set(FIGURES)
