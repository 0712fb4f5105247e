"""Makes texts that a server or a client chose safe to write to a file or to a terminal."""


def writable(text: str) -> str:
    """Return the text with characters that UTF-8 cannot encode (lone surrogates) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain(text: str) -> str:
    """Return the text with everything spelled out that could move the cursor of a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
