"""Locates the data files, in a checkout or in an installed wheel."""

from pathlib import Path

_ROOT = Path(__file__).parents[2]
_INSTALLED = _ROOT / "apixo_testkit" / "_fixtures"
FIXTURES: Path = _INSTALLED if _INSTALLED.is_dir() else _ROOT / "fixtures"
