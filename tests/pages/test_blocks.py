"""Every code block of README and docs is run as it is printed, or marked as an excerpt."""

import re
import shutil
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.pages.blocks import PAGES, ROOT, Block, Kind, blocks, page_name
from tests.pages.walk import SHELLS, Walk, server
from tests.properties import is_deep

# Tests of their own run these blocks, as parts of one program or with other servers.
RUN_ELSEWHERE = {
    "docs/client.md": {Kind.PROGRAM},  # tests/client_reference/e2e/test_client_page.py
    "docs/auditing-a-client.md": set(Kind),  # tests/contract_tests/test_audit_guide.py
}
# The audits and runs of these pages take many seconds; `make test-deep` follows them.
SLOW = {"docs/tutorials/robust-client.md", "docs/tutorials/test-a-server.md"}
ALL = {page_name(page): blocks(page) for page in PAGES}
STEPS = {
    page: [block for block in found if block.kind not in RUN_ELSEWHERE.get(page, set())]
    for page, found in ALL.items()
}
RUN = {Kind.COMMANDS, Kind.PROGRAM}
FOLLOWED = [
    page
    for page, found in STEPS.items()
    if any(block.kind in RUN or block.kind is Kind.SERVER for block in found)
]
SHELL_BLOCKS = [
    block for found in ALL.values() for block in found if block.language in {"bash", "sh", "zsh"}
]


@pytest.fixture(scope="session")
def shared_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server for the pages that start it without switches.

    It is faster than theirs, so that no test waits half a minute for a picture.
    """
    with server(["--speed", "30"], tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.mark.deep
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("page", FOLLOWED)
def test_page_works_as_printed(page: str, shell: str, shared_address: str, tmp_path: Path) -> None:
    if page in SLOW and not is_deep():
        pytest.skip("takes many seconds; `make test-deep` runs it")
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell} (Debian: apt-get install {shell})")
    forget_sandboxes(shared_address)
    folder = tmp_path / "reader"
    folder.mkdir()

    Walk(shell, folder, shared_address).follow(STEPS[page])


def forget_sandboxes(address: str) -> None:
    """Remove the state that the pages before left under the keys that they print."""
    request = urllib.request.Request(f"http://{address}/_mock/sandboxes", method="DELETE")
    urllib.request.urlopen(request).close()


@pytest.mark.parametrize("page", ALL)
def test_page_has_no_block_that_nobody_runs(page: str) -> None:
    unmarked = [
        f"{block.place}: a block in {block.language or 'no language'} is neither run nor marked "
        "with <!-- excerpt -->"
        for block in STEPS[page]
        if block.kind is Kind.UNMARKED
    ]

    assert unmarked == []


def test_output_follows_the_commands_that_print_it() -> None:
    orphans = [
        after.place
        for found in STEPS.values()
        for before, after in pairwise(found)
        if after.kind is Kind.OUTPUT and before.kind not in RUN
    ]

    assert orphans == []


@pytest.mark.parametrize("block", SHELL_BLOCKS, ids=lambda block: block.place)
def test_shell_block_can_be_pasted_into_zsh(block: Block) -> None:
    """An interactive zsh passes the words of a comment to the command."""
    assert block.language == "bash", "use bash: it is run in both shells"
    assert not re.search(r"(^|\s)#", block.text), "has a comment"
    assert not re.search(r"^\s*\$ ", block.text, re.MULTILINE), "has a prompt"
    assert not re.search(r"\bsleep \d", block.text), "waits by time: use /_mock/tasks/{id}/wait"
    assert ".venv/bin/" not in block.text or ". .venv/bin/activate" in block.text


def test_documentation_is_found() -> None:
    assert len(FOLLOWED) >= 5
    assert all((ROOT / page).exists() for page in ALL)
