"""The pages for language models: llms.txt is their index, llms-full.txt of the site their text.

`python -m tests.pages.reference.llms` prints the text.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml

from tests.pages.blocks import ROOT

_HEAD = """\
# apixo-testkit

> A mock of the image provider APIXO (model gpt-image-1), a reference client, and a contract test kit for servers and clients.
"""  # noqa: E501  # prose


def pages_by_section() -> dict[str, list[str]]:
    """Return the files of the navigation below docs/, by the title of their section."""
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    return {
        section: list(_files(entries)) for each in navigation for section, entries in each.items()
    }


def _files(entries: Any) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        for below in entries.values():
            yield from _files(below)
    else:
        for below in entries:
            yield from _files(below)


def llms_index() -> str:
    """Return llms.txt: a link to each page with its first sentence."""
    lines = [_HEAD]
    for section, files in pages_by_section().items():
        lines.append(f"\n## {section}\n\n")
        for file in files:
            title, summary = _title_and_summary(_text(file))
            lines.append(f"- [{title}]({file}): {summary}\n")
    return "".join(lines)


def llms_full() -> str:
    """Return llms-full.txt: the text of all pages but the longest lists."""
    files = [file for files in pages_by_section().values() for file in files]
    return "\n\n".join([_HEAD, *(_text(file) for file in files if file != "mutants.md")])


def _text(file: str) -> str:
    return (ROOT / "docs" / file).read_text("utf-8")


def _title_and_summary(text: str) -> tuple[str, str]:
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    body = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    paragraph = re.search(r"^# .+\n\n(.+(?:\n.+)*)", body, re.MULTILINE)
    assert title, "a page has no title"
    assert paragraph, f"{title[1]}: no text after the title"
    sentence = re.split(r"(?<=[.:])\s", " ".join(paragraph[1].split()))[0]
    return title[1].replace("`", ""), re.sub(r"\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])", r"\1", sentence)


if __name__ == "__main__":
    sys.stdout.write(llms_full())
