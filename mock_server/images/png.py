"""Writes an image as a PNG, about twice as fast as Pillow does.

Pillow tries five filters on every row.  Here all rows take one, which suits smooth drawings.
"""

from struct import pack
from zlib import compress, crc32

from PIL import Image, ImageChops

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS_OF_RGB = (8, 2, 0, 0, 0)  # depth, colour type, and the only known methods
UP = b"\2"  # a row is written as its difference from the one above
LEVEL = 3  # of 9: more costs time and saves little


def encode(image: Image.Image, comment: bytes) -> bytes:
    """Return an RGB image as a PNG, with a comment in Latin-1 that viewers do not show."""
    header = pack(">IIBBBBB", *image.size, *EIGHT_BITS_OF_RGB)
    return b"".join(
        [
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"tEXt", b"Comment\0" + comment),
            _chunk(b"IDAT", compress(_rows(image), LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


def _rows(image: Image.Image) -> bytes:
    above = Image.new("RGB", image.size)
    above.paste(image, (0, 1))
    differences = ImageChops.subtract_modulo(image, above).tobytes()
    length = 3 * image.width
    return b"".join(
        UP + differences[start : start + length] for start in range(0, len(differences), length)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))
