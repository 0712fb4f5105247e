"""Texts for files and terminals: escapes what a server or client said, and counts things."""


def writable(text: str) -> str:
    """Return the text with unpaired surrogates escaped, which UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain(text: str) -> str:
    """Return the text with all control characters escaped, for a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def count(number: int, noun: str) -> str:
    """Return "1 case" or "3 cases"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
