"""Recognise the format of an image by its header, as the provider does with reference images.

Pillow is slow to import, so the first call imports it.
"""

import warnings
from io import BytesIO
from threading import Lock

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_ALIASES = {"MPO": "JPEG"}  # Some cameras write several JPEGs into one file, an MPO.

_warning_filters = Lock()  # Warning filters belong to the process, not to the thread.


def image_format(content: bytes) -> str | None:
    """Return the name of the format, such as "JPEG", or None if the content is not an image.

    Pixels are not decoded, so a truncated image still has a format. Content that Pillow rejects,
    such as a broken image or a decompression bomb, counts as no image.
    """
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _opened_format(content)
        except Exception:  # noqa: BLE001  # Pillow raises errors of any type for malformed content.
            return None


def _opened_format(content: bytes) -> str | None:
    # Without these imports Pillow would load all its plugins to open TIFF and WebP.
    from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    with Image.open(BytesIO(content), formats=FORMATS) as image:
        return _ALIASES.get(image.format or "", image.format)
