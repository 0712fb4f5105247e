"""Every link of a page to a file of the project leads somewhere.

The site checks the links below docs/ with their headings; this includes the other pages.
"""

import re
from pathlib import Path

import pytest

from tests.pages.blocks import PAGES, page_name

_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_of_the_page_lead_to_files(page: Path) -> None:
    targets = _LINK.findall(page.read_text("utf-8"))

    assert [each for each in targets if not (page.parent / each).exists()] == []
