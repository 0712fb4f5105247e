"""Draws a picture: colours and a pattern by chance, and on them a panel with the prompt.

This module and those it imports need Pillow, which is slow to import: import it when the first
picture is due.
"""

from hashlib import blake2b
from io import BytesIO
from random import Random

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from mock_server.images.palette import Palette, choose
from mock_server.images.panel import draw_panel
from mock_server.images.patterns import PATTERNS, slope
from mock_server.images.picture import Picture

_COMPRESSION = 3  # of 9: more costs time and saves little


def render(picture: Picture) -> bytes:
    """Return the picture as a PNG of exactly its size."""
    identity = _identity(picture)
    dice = Random(identity)  # noqa: S311  # it picks colours, not secrets
    palette = choose(dice)
    image = _background((picture.width, picture.height), palette, dice)
    draw_panel(image, picture, palette)
    return _png(image, identity)


def _png(image: Image.Image, identity: str) -> bytes:
    """Write a PNG; the comment makes even pictures of a single pixel differ."""
    info = PngInfo()
    info.add_text("Comment", identity)
    content = BytesIO()
    image.save(content, "PNG", compress_level=_COMPRESSION, pnginfo=info)
    return content.getvalue()


def _identity(picture: Picture) -> str:
    """Return what tells this result from those beside it and from those of other tasks."""
    return blake2b(b"%d:%b" % (picture.number, picture.seed), digest_size=16).hexdigest()


def _background(size: tuple[int, int], palette: Palette, dice: Random) -> Image.Image:
    """Draw in shades of grey, then give each shade its colour."""
    pattern = dice.choice(PATTERNS)(size, dice)
    shades = Image.blend(slope(size, dice), pattern, dice.uniform(0.4, 0.55))
    shades = ImageOps.autocontrast(shades)
    return Image.merge("RGB", [shades.point(curve) for curve in palette.curves()])
