"""Breaks a prompt into lines that fill a box, in letters as large as the box allows.

The work stays bounded, whatever the prompt: a long one is cut before it is measured, each
letter is measured once a size, and a size is given up as soon as it has too many lines.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from PIL import ImageFont
from ttf_opensans import OPENSANS_SEMIBOLD

LONGEST = 4_000  # code points; a picture has room for fewer small letters of usual width
LONGEST_WHOLE_WORD = 40  # code points; longer ones may break, shorter ones get smaller letters
ELLIPSIS = "…"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class Box(msgspec.Struct, frozen=True):
    """Room for text in letters of one size, in pixels."""

    letter_size: int
    width: int
    height: int

    @property
    def leading(self) -> int:
        """The way from line to line that Open Sans asks for."""
        return round(self.letter_size * 1.36)

    @property
    def rows(self) -> int:
        return max(1, self.height // self.leading)


class Block(msgspec.Struct, frozen=True):
    lines: list[str]
    width: int
    box: Box

    @property
    def height(self) -> int:
        return len(self.lines) * self.box.leading


class Letters(dict[str, float]):
    """The widths of letters of one size, each measured when it is first asked for."""

    def __init__(self, size: int) -> None:
        super().__init__()
        # The basic layout sets the same lines wherever Pillow runs, and a line as wide as its
        # letters.
        path = str(OPENSANS_SEMIBOLD.path)
        self.font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)

    def __missing__(self, letter: str) -> float:
        width = self[letter] = self.font.getlength(letter)
        return width

    def width(self, text: str) -> float:
        return sum(map(self.__getitem__, text))


def fit(prompt: str, boxes: Iterable[Box]) -> Block:
    """Set the prompt into the first box that holds it, or what fits of it into the last."""
    text = readable(prompt)
    words = text.split()
    may_break = any(len(word) > LONGEST_WHOLE_WORD for word in words)
    for box in boxes:
        letters = Letters(box.letter_size)
        lines = list(islice(wrap(text, letters, box.width), box.rows + 1))
        if len(lines) > box.rows:
            continue
        if may_break or all(letters.width(word) <= box.width for word in words):
            break
    else:
        lines = cut(lines, letters, box)
    return Block(lines, round(max(map(letters.width, lines), default=0)), box)


def readable(prompt: str) -> str:
    """Return the prompt without what cannot be drawn, its blank space and its end tidied."""
    paragraphs = (" ".join(line.split()) for line in prompt.splitlines())
    text = "\n".join(filter(None, paragraphs))
    if len(text) > LONGEST:
        text = text[:LONGEST] + ELLIPSIS
    text = unicodedata.normalize("NFC", text)
    return text.translate({ord(letter): _drawn(letter) for letter in set(text)})


def _drawn(letter: str) -> str:
    """Return what stands for the letter: itself, nothing, or the sign for an unknown one."""
    if letter == "\n":
        return letter
    match unicodedata.category(letter):
        case "Cf":  # joiners, marks of direction
            return ""
        case "Mn" if "VARIATION SELECTOR" in unicodedata.name(letter, ""):
            return ""
        case "Cc" | "Cs":
            return UNKNOWN
        case _:
            return letter


def wrap(text: str, letters: Letters, width: float) -> Iterator[str]:
    """Yield lines of at most this width; only a word that is wider is broken."""
    space = letters[" "]
    for paragraph in text.splitlines():
        line, used = "", 0.0
        for word in paragraph.split():
            for piece in pieces(word, letters, width):
                more = letters.width(piece)
                if line and used + space + more <= width:
                    line, used = f"{line} {piece}", used + space + more
                    continue
                if line:
                    yield line
                line, used = piece, more
        if line:
            yield line


def pieces(word: str, letters: Letters, width: float) -> Iterator[str]:
    """Yield the word in pieces of at most this width, yet of at least one letter."""
    start, used = 0, 0.0
    for at, letter in enumerate(word):
        if used + letters[letter] > width and at > start:
            yield word[start:at]
            start, used = at, 0.0
        used += letters[letter]
    yield word[start:]


def cut(lines: list[str], letters: Letters, box: Box) -> list[str]:
    """Return as many lines as the box has rows; the last shows that there were more."""
    if len(lines) <= box.rows:
        return lines
    *whole, last = lines[: box.rows]
    last = next(pieces(last, letters, box.width - letters[ELLIPSIS]))
    return [*whole, last.rstrip(f" {ELLIPSIS}") + ELLIPSIS]
