"""How the verdicts of rules add up to the verdict of a case or of an axis."""

from collections.abc import Sequence
from typing import Final

from contract_tests.contract.verdicts import Verdict, worst

VIOLATED: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_CONCLUSIVE: Final = VIOLATED | {Verdict.PASS}


def worst_verdict(verdicts: Sequence[Verdict], *, is_staged: bool) -> Verdict:
    """Return the worst verdict; if nothing was staged, only conclusive ones count."""
    conclusive = [each for each in verdicts if each in _CONCLUSIVE]
    return worst(verdicts if is_staged or not conclusive else conclusive)
