"""Compares what a client delivered with the pictures that it paid for."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

from contract_tests.client.exploring.outcome import Delivery, Purchase
from contract_tests.contract.text import count

_SIDE: Final = 24  # Pixels of the thumbnails that are compared.
_MAX_DIFFERENCE: Final = 6.0  # Of 255, on average: what a lossy format may change.


def problem_of(
    deliveries: Sequence[Delivery], purchase: Purchase, purchases: Sequence[Purchase]
) -> str:
    """Return what is wrong with the deliveries of a purchase, or an empty text.

    `purchases` are all of the run: pictures of the others may be among the deliveries.
    """
    wanted = _pictures(purchase)
    known = [one for each in purchases for one in _pictures(each)]
    missing = [
        str(number) for number, one in enumerate(wanted, 1) if not _has_same(deliveries, *one)
    ]
    if missing:
        pictures = sum(each.is_picture for each in deliveries)
        got = f"got {count(pictures, 'picture')}"
        return f"picture {', '.join(missing)} of {len(wanted)} is missing or incomplete ({got})"
    for each in deliveries:
        if each.is_picture and not any(_has_same([each], *one) for one in known):
            return f"{each.name} is not a picture of the task"
    return ""


def _pictures(purchase: Purchase) -> list[tuple[str, bytes]]:
    return list(zip(purchase.result_urls, purchase.contents, strict=True))


def _has_same(deliveries: Sequence[Delivery], url: str, content: bytes) -> bool:
    """Tell whether a picture is among the deliveries; equal ones are found without decoding."""
    if any(each.url == url or each.content == content for each in deliveries):
        return True
    return any(each.content and _looks_same(each.content, content) for each in deliveries)


def _looks_same(first: bytes, second: bytes) -> bool:
    """Tell whether two images show the same: a client may store another format."""
    one, other = _thumbnail(first), _thumbnail(second)
    if one is None or other is None:
        return False
    differences = (abs(a - b) for a, b in zip(one, other, strict=True))
    return sum(differences) / len(one) <= _MAX_DIFFERENCE


def _thumbnail(content: bytes) -> bytes | None:
    try:
        with Image.open(BytesIO(content)) as image:
            return image.convert("RGB").resize((_SIDE, _SIDE)).tobytes()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None  # It is no picture, or not a whole one.
