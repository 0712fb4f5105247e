"""Write a file completely or not at all."""

from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave what was there before. Raise OSError, for example on a full disk."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # The first error says more.
            part.unlink(missing_ok=True)
        raise
