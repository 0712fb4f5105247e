"""What is written as a PNG is read back as it was."""

from io import BytesIO
from random import Random

import pytest
from PIL import Image

from mock_server.images.png import encode


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (64, 48)], ids=str)
def test_every_pixel_comes_back(size: tuple[int, int]) -> None:
    pixels = Random(1).randbytes(3 * size[0] * size[1])

    with Image.open(BytesIO(encode(Image.frombytes("RGB", size, pixels), b""))) as image:
        assert (image.mode, image.size, image.tobytes()) == ("RGB", size, pixels)


def test_the_comment_comes_back() -> None:
    with Image.open(BytesIO(encode(Image.new("RGB", (1, 1)), b"a fox"))) as image:
        assert image.info == {"Comment": "a fox"}
