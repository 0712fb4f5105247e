"""The pages that are made from the declarations in the code."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.pages.blocks import ROOT
from tests.pages.reference.audit_rules_page import audit_rules_page
from tests.pages.reference.commands_page import commands_page, exit_statuses_page
from tests.pages.reference.control_page import control_page, published_document
from tests.pages.reference.directives_page import directives_page
from tests.pages.reference.llms import llms_index

_DOCS = ROOT / "docs"

# The last one contains words of the pages before it.
GENERATED_FILES: Final[Mapping[Path, Callable[[], str]]] = {
    _DOCS / "reference/control-api.md": lambda: control_page(published_document()),
    _DOCS / "reference/commands.md": commands_page,
    _DOCS / "reference/exit-statuses.md": exit_statuses_page,
    _DOCS / "reference/audit-rules.md": audit_rules_page,
    _DOCS / "reference/directives.md": directives_page,
    _DOCS / "llms.txt": llms_index,
}
