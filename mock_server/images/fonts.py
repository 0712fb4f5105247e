"""The fonts of a picture: Open Sans, and with the extra `fonts` Noto for what Open Sans lacks.

Which font draws a letter depends on the installed packages only, so equal installations draw equal
pictures. Letters that no font has are boxes.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec
from PIL import ImageFont, features
from ttf_opensans import OPENSANS_SEMIBOLD

Font = ImageFont.FreeTypeFont

_WEIGHT: Final = 600  # As Open Sans SemiBold.
_PROBE_SIZE: Final = 16
_NOBODYS_LETTER: Final = "\U0010ffff"  # No font has it, so it shows the box of a missing letter.
_CHINESE_IN_COLLECTION: Final = 2  # Simplified Chinese; it has kana and hangul as well.
# Fonts of scripts come first, because the others have some of their letters without the rest.
_LAST: Final = ("NotoSans[wght].ttf", "NotoSansSymbols[wght].ttf", "NotoEmoji[wght].ttf")
_WITHOUT: Final = ("NotoSans-Italic[wght].ttf",)
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
_PROBING: Final = Lock()  # Pictures are drawn in several threads, and probes are shared.


class Face(msgspec.Struct, frozen=True):
    """A font file; `is_shaped` says whether its letters must be joined or reordered."""

    path: str
    index: int = 0
    is_shaped: bool = False

    def at(self, size: int, *, is_shaped: bool = False) -> Font:
        """Return the font for letters of this size in pixels."""
        engine = ImageFont.Layout.RAQM if is_shaped else ImageFont.Layout.BASIC
        font = ImageFont.truetype(self.path, size, index=self.index, layout_engine=engine)
        if self != BASE:
            font.set_variation_by_axes([_WEIGHT])
        return font


# The basic layout gives the same lines on every machine, and a line is as wide as the sum of its
# letters.
BASE: Final = Face(str(OPENSANS_SEMIBOLD.path))


@cache
def can_shape() -> bool:
    """Return whether Pillow can join and reorder letters, as Arabic and Indic scripts need."""
    return features.check_feature("raqm") is True and features.check_feature("fribidi") is True


@cache
def fallbacks() -> tuple[Face, ...]:
    """Return the fonts of the extra `fonts` in the order in which they are asked for a letter."""
    noto, cjk = _folder("manimgx_fonts"), _folder("manimgx_fonts_cjk")
    if noto is None or cjk is None:
        return ()
    names = sorted(each.name for each in noto.glob("*.ttf"))
    scripts = [name for name in names if name not in {*_LAST, *_WITHOUT}]
    latin, symbols, emoji = (Face(str(noto / name)) for name in _LAST)
    return (
        *(Face(str(noto / name), is_shaped=can_shape()) for name in scripts),
        latin,
        Face(str(cjk / "NotoSansCJK-VF.otf.ttc"), _CHINESE_IN_COLLECTION),
        Face(emoji.path, is_shaped=can_shape()),  # Flags and skin tones are sequences.
        symbols,
    )


def _folder(package: str) -> Path | None:
    found = find_spec(package)
    return None if found is None or found.origin is None else Path(found.origin).parent


@lru_cache(maxsize=65_536)
def face_of(letter: str) -> Face | None:
    """Return the first font that has this letter, or None."""
    if letter.isspace():
        return BASE
    with _PROBING:
        return next((each for each in (BASE, *fallbacks()) if _has(each, letter)), None)


def has_fallback(text: str) -> bool:
    """Return whether a letter of the text is not drawn in Open Sans."""
    return not text.isascii() and any((face_of(letter) or BASE) != BASE for letter in set(text))


def note_about(text: str) -> str:
    """Return one line about letters that cannot be drawn as they should be, or an empty text."""
    if text.isascii():
        return ""
    letters = set(text)
    if not fallbacks() and any(
        face_of(letter) is None and unicodedata.category(letter) not in {"Cn", "Co"}
        for letter in letters
    ):
        return "missing letters: pip install 'apixo-testkit[fonts]'"
    if not can_shape() and any(
        unicodedata.bidirectional(each) in _RIGHT_TO_LEFT or unicodedata.category(each) == "Mc"
        for each in letters
    ):
        return "letters are not joined: install FriBiDi (Debian: libfribidi0)"
    return ""


def runs(text: str) -> Iterator[tuple[Face, str]]:
    """Yield the parts of a line with the font of each, from left to right."""
    parts = list(_logical_runs(text))
    first_strong = next(
        (kind for each in text if (kind := unicodedata.bidirectional(each)) in {"L", "R", "AL"}),
        "L",
    )
    return reversed(parts) if first_strong in _RIGHT_TO_LEFT else iter(parts)


def _logical_runs(text: str) -> Iterator[tuple[Face, str]]:
    """Yield the parts in the order of reading; a space inside a part is drawn with its font."""
    current, part, spaces = BASE, "", ""
    for letter in text:
        if letter == " " and current != BASE:
            spaces += letter
            continue
        face = face_of(letter) or BASE
        if face != current and unicodedata.category(letter).startswith("M"):
            with _PROBING:
                face = current if _has(current, letter) else face
        if face == current:
            part, spaces = part + spaces + letter, ""
            continue
        if part:
            yield current, part
        if spaces and face != BASE:
            yield BASE, spaces
            spaces = ""
        current, part, spaces = face, spaces + letter, ""
    if part:
        yield current, part
    if spaces:
        yield BASE, spaces


def _has(face: Face, letter: str) -> bool:
    """Return whether the font has the letter: it then looks different from a missing one."""
    return _look(face, letter) != _missing_look(face)


@cache
def _missing_look(face: Face) -> tuple[object, bytes]:
    return _look(face, _NOBODYS_LETTER)


def _look(face: Face, letter: str) -> tuple[object, bytes]:
    mask = _probe(face).getmask(letter)
    return mask.size, bytes(mask)


@cache
def _probe(face: Face) -> Font:
    return ImageFont.truetype(
        face.path, _PROBE_SIZE, index=face.index, layout_engine=ImageFont.Layout.BASIC
    )
