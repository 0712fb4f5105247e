"""Recognise the format of an image by its header, as the provider does with reference images.

Pillow is slow to import, so the first call imports it.
"""

import warnings
from io import BytesIO
from threading import Lock

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_MAX_READS = 2_000  # Pillow reads most images in less than 100 steps, even large photographs.
_ALIASES = {"MPO": "JPEG"}  # Some cameras write several JPEGs into one file, an MPO.

_warning_filters = Lock()  # Warning filters belong to the process, not to the thread.


def image_format(content: bytes) -> str | None:
    """Return the name of the format, such as "JPEG", or None if the content is not an image.

    Pixels are not decoded, so a truncated image still has a format. Content that Pillow rejects,
    such as a broken image or a decompression bomb, counts as no image. So does content whose header
    has thousands of parts, which would take Pillow seconds to read.
    """
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _opened_format(content)
        except Exception:  # noqa: BLE001  # Pillow raises errors of any type for malformed content.
            return None


class _Steps(BytesIO):
    """The content of an image, which can be read in a limited number of steps."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"the header has more than {_MAX_READS} parts")
        return super().read(size)


def _opened_format(content: bytes) -> str | None:
    # Without these imports Pillow would load all its plugins to open TIFF and WebP.
    from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401, PLC0415

    with Image.open(_Steps(content), formats=FORMATS) as image:
        return _ALIASES.get(image.format or "", image.format)
