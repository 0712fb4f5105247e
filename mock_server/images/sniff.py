"""Recognises an image by its header, as the provider does with reference images.

Pillow is slow to import, so it is imported with the first question.
"""

import warnings
from io import BytesIO
from threading import Lock

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
ALSO_KNOWN_AS = {"MPO": "JPEG"}  # several JPEGs in one file, as some cameras write them

_filters = Lock()  # the filters of warnings belong to the process, not to the thread


def image_format(content: bytes) -> str | None:
    """Return the name of the format ("JPEG"), or None for what is no image.

    Pixels are not decoded, so a cut image still has its format.  What Pillow refuses to open is
    no image, be it broken or a decompression bomb.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _opened_format(content)
        except Exception:  # noqa: BLE001  # on hostile bytes Pillow may raise anything
            return None


def _opened_format(content: bytes) -> str | None:
    # Pillow loads these two only when asked for, or else with all the plugins it has.
    from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    with Image.open(BytesIO(content), formats=FORMATS) as image:
        return ALSO_KNOWN_AS.get(image.format or "", image.format)
