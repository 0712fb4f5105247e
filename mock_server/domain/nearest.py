"""Suggest the closest valid word in an error message."""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` if a known word is similar, else `; known: ` and all words."""
    from difflib import get_close_matches  # noqa: PLC0415  # slow to import, used for errors only

    words = sorted(str(each) for each in known)
    folded = {each.casefold(): each for each in words}
    near = get_close_matches(word[:100].casefold(), folded, n=1, cutoff=0.5)
    return f'; did you mean "{folded[near[0]]}"?' if near else f"; known: {', '.join(words)}"
