"""What others have written, made fit to be shown."""


def shown(text: str) -> str:
    """Return the text with everything escaped that a terminal would obey or hide."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
