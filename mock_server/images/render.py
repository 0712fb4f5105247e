"""Draw a picture: random colours, a random pattern and a panel with the prompt.

This module imports Pillow, which is slow. Import it when the first picture is drawn.
"""

from hashlib import blake2b
from io import BytesIO
from random import Random

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from mock_server.images.palette import Palette, choose_palette
from mock_server.images.panel import draw_panel
from mock_server.images.patterns import PATTERNS, slope
from mock_server.images.picture import Picture

_COMPRESSION = 3  # Of 9. Higher levels cost much time and save few bytes.


def render(picture: Picture) -> bytes:
    """Return the picture as a PNG with its exact width and height."""
    identity = _identity(picture)
    rng = Random(identity)  # noqa: S311  # It picks colours, not secrets.
    palette = choose_palette(rng)
    image = _background((picture.width, picture.height), palette, rng)
    draw_panel(image, picture, palette)
    return _png(image, identity)


def _png(image: Image.Image, identity: str) -> bytes:
    """Encode a PNG; the comment makes even pictures of one pixel differ from each other."""
    info = PngInfo()
    info.add_text("Comment", identity)
    content = BytesIO()
    image.save(content, "PNG", compress_level=_COMPRESSION, pnginfo=info)
    return content.getvalue()


def _identity(picture: Picture) -> str:
    """Return a text that differs for every result of every task."""
    return blake2b(b"%d:%b" % (picture.number, picture.seed), digest_size=16).hexdigest()


def _background(size: tuple[int, int], palette: Palette, rng: Random) -> Image.Image:
    """Draw a pattern in shades of grey, then map each shade to a colour."""
    pattern = rng.choice(PATTERNS)(size, rng)
    shades = Image.blend(slope(size, rng), pattern, rng.uniform(0.4, 0.55))
    shades = ImageOps.autocontrast(shades)
    return Image.merge("RGB", [shades.point(curve) for curve in palette.channel_curves()])
