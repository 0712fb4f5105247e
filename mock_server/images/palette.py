"""Colours that go together."""

from random import Random

import msgspec
from PIL import ImageColor

Colour = tuple[int, int, int]

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


class Palette(msgspec.Struct, frozen=True):
    """Colours from dark to light, and how a drawing in shades of grey takes them on."""

    stops: tuple[Colour, ...]

    @property
    def darkest(self) -> Colour:
        return self.stops[0]

    @property
    def lightest(self) -> Colour:
        return self.stops[-1]

    def curves(self) -> list[list[int]]:
        """Return for red, green and blue the value that each of 256 shades gets."""
        colours = [_along(self.stops, shade / 256) for shade in range(256)]
        return [[colour[channel] for colour in colours] for channel in range(3)]


def choose(dice: Random) -> Palette:
    return Palette(tuple(_parse(name) for name in dice.choice(STOPS)))


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between the two; `share` is how much of it is the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _along(stops: tuple[Colour, ...], way: float) -> Colour:
    before, share = divmod(way * (len(stops) - 1), 1)
    return mix(stops[int(before)], stops[int(before) + 1], share)


def _parse(name: str) -> Colour:
    red, green, blue, *_ = ImageColor.getrgb(name)
    return red, green, blue


STOPS = [
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
