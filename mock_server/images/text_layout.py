"""Break a prompt into lines that fit a box, in the largest letters that the box allows.

The work is bounded for every prompt: long prompts are cut before they are measured, each letter
is measured once per size, and a size is abandoned as soon as it needs too many lines.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from mock_server.images.fonts import BASE, Face, Font, face_of, has_fallback, note_about, runs

# Both limits count code points. No picture has room for more text than this.
MAX_TEXT_LENGTH = 4_000
# Shorter words get smaller letters instead of a break.
MAX_UNBROKEN_WORD_LENGTH = 40
ELLIPSIS = "…"
# Letters that join are measured one by one, because shaping every word would take seconds. Joined
# letters are mostly narrower.
_SHAPING_RESERVE = 1.1
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Box(msgspec.Struct, frozen=True):
    """The room for text in letters of one size. All members are pixels."""

    letter_size: int
    width: int
    height: int

    @property
    def line_height(self) -> int:
        """The distance between two lines that Open Sans recommends."""
        return round(self.letter_size * 1.36)

    @property
    def max_lines(self) -> int:
        return max(1, self.height // self.line_height)


class TextBlock(msgspec.Struct, frozen=True):
    """Lines of text that fit their box. The width is in pixels."""

    lines: list[str]
    width: int
    box: Box
    note: str = ""  # One line about letters that cannot be drawn as they should be.

    @property
    def height(self) -> int:
        return len(self.lines) * self.box.line_height


class LetterWidths(dict[str, float]):
    """The widths of letters of one size in pixels; each is measured on first use."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.font = BASE.at(size)
        self._fonts: dict[tuple[Face, bool], Font] = {(BASE, False): self.font}

    def __missing__(self, letter: str) -> float:
        face = face_of(letter) or BASE
        width = self.font_of(face).getlength(letter)
        if face.is_shaped:
            width *= _SHAPING_RESERVE
        self[letter] = width
        return width

    def font_of(self, face: Face, *, is_shaped: bool = False) -> Font:
        """Return a font in this size."""
        key = (face, is_shaped)
        if key not in self._fonts:
            self._fonts[key] = face.at(self._size, is_shaped=is_shaped)
        return self._fonts[key]

    def measure(self, text: str) -> float:
        """Return the width of a line of text in pixels, or slightly more if letters join."""
        return sum(map(self.__getitem__, text))

    def drawn_parts(self, line: str) -> Iterator[tuple[str, Font, float]]:
        """Yield the parts of a line from left to right, each with its font and exact width."""
        if not has_fallback(line):
            yield line, self.font, self.measure(line)
            return
        for face, part in runs(line):
            # A single letter joins with nothing, and shaping is slow.
            font = self.font_of(face, is_shaped=face.is_shaped and len(part) > 1)
            yield part, font, font.getlength(part)

    def drawn_width(self, line: str) -> float:
        """Return the exact width of a line in pixels."""
        return sum(width for _, _, width in self.drawn_parts(line))


def fit_prompt(prompt: str, boxes: Iterable[Box]) -> TextBlock:
    """Return the lines of the prompt in the first box in which all of it fits.

    If none does, the last box gets the beginning of the prompt and an ellipsis.
    """
    text = clean_text(prompt)
    words = text.split()
    may_break = any(len(word) > MAX_UNBROKEN_WORD_LENGTH for word in words) or any(
        unicodedata.east_asian_width(letter) == "W" for letter in set(text)
    )  # Chinese and Japanese have no spaces between words.
    for box in boxes:
        widths = LetterWidths(box.letter_size)
        lines = list(islice(wrap_lines(text, widths, box.width), box.max_lines + 1))
        if len(lines) > box.max_lines:
            continue
        if may_break or all(widths.measure(word) <= box.width for word in words):
            break
    else:
        lines = truncate_lines(lines, widths, box)
    width = round(max(map(widths.drawn_width, lines), default=0))
    return TextBlock(lines, width, box, note_about(text))


def clean_text(prompt: str) -> str:
    """Return the prompt with normalised white space, cut to length, unprintable letters replaced.

    Invisible characters are removed. Control characters become the replacement character.
    """
    paragraphs = (" ".join(line.split()) for line in prompt.splitlines())
    text = "\n".join(filter(None, paragraphs))
    if len(text) > MAX_TEXT_LENGTH:
        text = text[:MAX_TEXT_LENGTH] + ELLIPSIS
    text = unicodedata.normalize("NFC", text)
    return text.translate({ord(letter): _printable(letter) for letter in set(text)})


def _printable(letter: str) -> str:
    if letter == "\n":
        return letter
    match unicodedata.category(letter):
        case "Cf":  # Joiners and direction marks have no shape of their own.
            return ""
        case "Mn" if "VARIATION SELECTOR" in unicodedata.name(letter, ""):
            return ""
        case "Cc" | "Cs":
            return REPLACEMENT
        case _:
            return letter


def wrap_lines(text: str, widths: LetterWidths, max_width: float) -> Iterator[str]:
    """Yield lines of at most this width in pixels; break only words that are wider."""
    space = widths[" "]
    for paragraph in text.splitlines():
        line, used = "", 0.0
        for word in paragraph.split():
            for piece in split_word(word, widths, max_width):
                more = widths.measure(piece)
                if line and used + space + more <= max_width:
                    line, used = f"{line} {piece}", used + space + more
                    continue
                if line:
                    yield line
                line, used = piece, more
        if line:
            yield line


def split_word(word: str, widths: LetterWidths, max_width: float) -> Iterator[str]:
    """Yield pieces of at most this width in pixels; each has at least one letter."""
    start, used = 0, 0.0
    for position, letter in enumerate(word):
        if used + widths[letter] > max_width and position > start:
            yield word[start:position]
            start, used = position, 0.0
        used += widths[letter]
    yield word[start:]


def truncate_lines(lines: list[str], widths: LetterWidths, box: Box) -> list[str]:
    """Return as many lines as fit the box; an ellipsis marks the cut."""
    if len(lines) <= box.max_lines:
        return lines
    *whole, last = lines[: box.max_lines]
    last = next(split_word(last, widths, box.width - widths[ELLIPSIS]))
    return [*whole, last.rstrip(f" {ELLIPSIS}") + ELLIPSIS]
