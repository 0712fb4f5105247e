"""The code blocks of the pages, and what each of them is.

A block is a file, a server, commands, a program, an output or an excerpt:

- a paragraph that is only a name in backticks and a colon makes the block below it a file;
- `bash` is commands; a line that starts `mock-server` starts a server instead;
- `python` without a file name is a program of its own;
- the comment `<!-- output -->` makes a block the output of the commands above it;
- the comment `<!-- exit status: 1 -->` names how the commands below it end;
- the comment `<!-- excerpt -->`, or `<!-- excerpt: the reason -->`, marks a block that is not run.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").glob("*.md")),
]

_FILE_NAME = re.compile(r"`([\w./-]+\.\w+)`:")
_EXIT_STATUS = re.compile(r"<!-- exit status: (\d+) -->\s*")
_COMMENT = re.compile(r"<!-- (excerpt|output)(?:: [^>]+)? -->\s*")


class Kind(StrEnum):
    FILE = "file"
    SERVER = "server"
    COMMANDS = "commands"
    PROGRAM = "program"
    OUTPUT = "output"
    EXCERPT = "excerpt"
    UNMARKED = "unmarked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    kind: Kind
    text: str
    language: str
    page: str  # Relative to the checkout.
    line: int
    file_name: str = ""
    exit_status: int = 0

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def server_switches(self) -> list[str]:
        return shlex.split(self.text)[1:]


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the code blocks of a page in their order."""
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    return list(_blocks(tokens, page_name(page)))


def _blocks(tokens: list[Token], page: str) -> Iterator[Block]:
    comment = paragraph = ""
    for token in tokens:
        if token.type == "html_block":
            comment = token.content
        elif token.type == "inline":
            comment, paragraph = "", token.content
        elif token.type in {"fence", "code_block"}:
            kind, file_name = _kind(token, comment, paragraph)
            status = _EXIT_STATUS.fullmatch(comment)
            yield Block(
                kind=kind,
                text=token.content,
                language=token.info,
                page=page,
                line=(token.map or [0])[0] + 1,
                file_name=file_name,
                exit_status=int(status[1]) if status else 0,
            )
            comment = paragraph = ""


def _kind(token: Token, comment: str, paragraph: str) -> tuple[Kind, str]:
    if marked := _COMMENT.fullmatch(comment):
        return Kind(marked[1]), ""
    if named := _FILE_NAME.fullmatch(paragraph):
        return Kind.FILE, named[1]
    if token.info == "bash":
        is_server = re.match(r"mock-server(?! schema| --version| --help)\b", token.content)
        return (Kind.SERVER if is_server else Kind.COMMANDS), ""
    return (Kind.PROGRAM if token.info == "python" else Kind.UNMARKED), ""
