"""Locates the data files, in a checkout or in an installed wheel."""

from pathlib import Path

_HERE = Path(__file__).parent.parent
_INSTALLED = _HERE / "_fixtures"
FIXTURES: Path = _INSTALLED if _INSTALLED.is_dir() else _HERE.parent / "fixtures"
