"""Colour palettes of pictures, and the conversion from grey to colour."""

from random import Random

import msgspec
from PIL import ImageColor

Colour = tuple[int, int, int]

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


class Palette(msgspec.Struct, frozen=True):
    """Matching colours from dark to light."""

    colours: tuple[Colour, ...]

    @property
    def darkest(self) -> Colour:
        return self.colours[0]

    @property
    def lightest(self) -> Colour:
        return self.colours[-1]

    def channel_curves(self) -> list[list[int]]:
        """Return for red, green and blue the values of the 256 shades of grey, dark to light."""
        gradient = [_interpolate(self.colours, shade / 256) for shade in range(256)]
        return [[colour[channel] for colour in gradient] for channel in range(3)]


def choose_palette(rng: Random) -> Palette:
    """Return one of the built-in palettes."""
    return Palette(tuple(_parse(name) for name in rng.choice(_PALETTES)))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between the two; `share`, from 0 to 1, is the part of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _interpolate(colours: tuple[Colour, ...], position: float) -> Colour:
    """Return the colour at a position from 0 (first) up to 1 (last, excluded)."""
    before, share = divmod(position * (len(colours) - 1), 1)
    return mix(colours[int(before)], colours[int(before) + 1], share)


def _parse(name: str) -> Colour:
    red, green, blue, *_ = ImageColor.getrgb(name)
    return red, green, blue


_PALETTES = [
    ("#1a1a40", "#6a2c70", "#e8505b", "#f9d56e"),
    ("#05263b", "#0b6e8a", "#3fc1b0", "#f4f1bb"),
    ("#0d2818", "#1f6f4a", "#8cb369", "#f4e285"),
    ("#2b0f1e", "#8c1c3c", "#e4572e", "#ffc857"),
    ("#231942", "#5e548e", "#be95c4", "#f7e1ea"),
    ("#0a1f44", "#2a6f97", "#89c2d9", "#eef7fb"),
    ("#3d1e3f", "#b5446e", "#f4978e", "#fde2c4"),
    ("#102a43", "#2f8f6f", "#b7d968", "#fdf6c0"),
    ("#0b1d51", "#3454d1", "#7fb7ff", "#f6f0ff"),
    ("#2f1b25", "#9c4a3c", "#dd8f5e", "#f3e3c3"),
]
