"""Escapes texts of a server or client, so that files and terminals can show them safely."""


def writable(text: str) -> str:
    """Return the text with unpaired surrogates escaped, which UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain(text: str) -> str:
    """Return the text with all control characters escaped, for a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
