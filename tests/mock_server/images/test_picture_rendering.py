"""Every prompt is rendered to a PNG of the requested size; equal pictures give equal bytes."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mock_server.images.patterns import PATTERNS, Pattern
from mock_server.images.picture import Picture
from mock_server.images.render import render
from tests.properties import examples

ROOT = Path(__file__).parents[3]
FOX = Picture(
    prompt="a fox in the snow",
    width=300,
    height=200,
    ratio="3:2",
    number=1,
    count=4,
    seed=b"sixteen bytes...",
)

any_letter = st.characters(exclude_categories=())  # lone surrogates too
sides = st.integers(1, 300)


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()  # also checks every chunk
    return image


@given(prompt=st.text(any_letter), width=sides, height=sides, seed=st.binary(min_size=16))
def test_any_prompt_renders_to_a_png_of_the_requested_size(
    prompt: str, width: int, height: int, seed: bytes
) -> None:
    picture = msgspec.structs.replace(FOX, prompt=prompt, width=width, height=height, seed=seed)

    image = opened(render(picture))

    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (width, height))


@pytest.mark.parametrize("size", [(1024, 1024), (1536, 1024), (1024, 1536)], ids=str)
@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("a fox " * 1_666, id="many words"),
        pytest.param("f" * 10_000, id="one giant word"),
        pytest.param("\n" * 9_999 + "a", id="empty lines"),
        pytest.param("e" + "\N{COMBINING ACUTE ACCENT}" * 9_999, id="one giant letter"),
        pytest.param("".join(map(chr, range(0x4E00, 0x4E00 + 10_000))), id="all letters differ"),
    ],
)
def test_the_longest_prompts_render_to_less_than_1_500_000_bytes(
    prompt: str, size: tuple[int, int]
) -> None:
    picture = msgspec.structs.replace(FOX, prompt=prompt, width=size[0], height=size[1])

    content = render(picture)

    assert opened(content).size == size
    assert len(content) < 1_500_000


def test_the_same_picture_has_the_same_bytes_in_another_process() -> None:
    script = (
        "import msgspec, sys\n"
        "from mock_server.images.picture import Picture\n"
        "from mock_server.images.render import render\n"
        "picture = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Picture)\n"
        "sys.stdout.buffer.write(render(picture))\n"
    )
    command = [sys.executable, "-c", script]

    other = subprocess.run(
        command, input=msgspec.msgpack.encode(FOX), cwd=ROOT, capture_output=True, check=True
    )

    assert other.stdout == render(FOX)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"seed": b"other bytes....."}, id="seed"),
        pytest.param({"number": 2}, id="number"),
        pytest.param({"count": 3}, id="count"),
        pytest.param({"prompt": "a fox in the rain"}, id="prompt"),
        pytest.param({"ratio": "auto"}, id="ratio"),
    ],
)
def test_different_pictures_have_different_bytes(other: dict[str, object]) -> None:
    assert render(msgspec.structs.replace(FOX, **other)) != render(FOX)


def test_even_single_pixels_differ_by_seed_and_number() -> None:
    pixel = msgspec.structs.replace(FOX, width=1, height=1)
    seeds = [b"seed %d" % number for number in range(100)]

    contents = {
        render(msgspec.structs.replace(pixel, seed=seed, number=number))
        for seed in seeds
        for number in (1, 2, 3)
    }

    assert len(contents) == 300


def test_a_picture_without_a_pixel_is_rejected() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        msgspec.structs.replace(FOX, width=0)


def test_letters_missing_from_the_font_are_drawn_as_a_placeholder() -> None:
    without = msgspec.structs.replace(FOX, prompt="")
    with_emoji = msgspec.structs.replace(FOX, prompt="\N{FOX FACE}")

    assert opened(render(with_emoji)).tobytes() != opened(render(without)).tobytes()


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.__name__)
@examples(25)
@given(width=sides, height=sides, rng=st.randoms(use_true_random=True))
def test_every_pattern_fills_every_size(
    pattern: Pattern, width: int, height: int, rng: Random
) -> None:
    shades = pattern((width, height), rng)

    assert (shades.mode, shades.size) == ("L", (width, height))
