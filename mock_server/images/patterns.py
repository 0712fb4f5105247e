"""Draw background patterns in shades of grey; the random generator decides sizes and places.

Patterns with sharp edges are drawn at twice the size and reduced, which smooths the edges.
"""

from collections.abc import Callable
from math import cos, hypot, pi, sin
from random import Random

from PIL import Image, ImageDraw

Size = tuple[int, int]
Pattern = Callable[[Size, Random], Image.Image]


def slope(size: Size, rng: Random) -> Image.Image:
    """Return a gradient from one side or corner to the opposite one."""
    down = Image.linear_gradient("L")
    across = down.transpose(Image.Transpose.ROTATE_90)
    small = Image.blend(down, across, rng.choice([0.2, 0.35, 0.5]))
    turn = rng.choice([Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM])
    return small.transpose(turn).resize(size, Image.Resampling.BILINEAR)


def bubbles(size: Size, rng: Random) -> Image.Image:
    """Return translucent, overlapping discs."""
    shades = Image.new("L", size, 70)
    disc = Image.new("L", (512, 512))
    ImageDraw.Draw(disc).ellipse((2, 2, 509, 509), fill=255)
    for _ in range(rng.randint(14, 22)):
        radius = round(min(size) * rng.uniform(0.04, 0.22))
        strength = rng.uniform(0.15, 0.45)
        x, y = _random_point(size, rng)
        faint = disc.resize((2 * radius + 1,) * 2, Image.Resampling.BOX)
        shades.paste(255, (x - radius, y - radius), faint.point(lambda v, s=strength: v * s))
    return shades


def rings(size: Size, rng: Random) -> Image.Image:
    """Return concentric circles around one point."""
    shades, draw = _canvas(size)
    x, y = _random_point(shades.size, rng)
    count = rng.randint(9, 18)
    reach = hypot(max(x, shades.width - x), max(y, shades.height - y))
    for ring in range(count, 0, -1):
        radius = reach * ring / count
        shade = 255 - 200 * ring // count if ring % 2 else 90
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
    return shades.reduce(2)


def rays(size: Size, rng: Random) -> Image.Image:
    """Return beams that spread from one point."""
    shades, draw = _canvas(size)
    x, y = _random_point(shades.size, rng)
    count = 2 * rng.randint(8, 16)
    reach = 2 * sum(shades.size)
    turn = rng.random()
    for ray in range(count):
        start, end = (2 * pi * (ray + side + turn) / count for side in (0, 1))
        edge = [(x + reach * cos(angle), y + reach * sin(angle)) for angle in (start, end)]
        draw.polygon([(x, y), *edge], fill=200 if ray % 2 else 60)
    return shades.reduce(2)


def hills(size: Size, rng: Random) -> Image.Image:
    """Return a sun above ridges that get darker towards the front."""
    shades, draw = _canvas(size)
    width, height = shades.size
    draw.rectangle((0, 0, width, height), fill=190)
    radius = min(width, height) * rng.uniform(0.07, 0.14)
    x, y = width * rng.uniform(0.15, 0.85), height * rng.uniform(0.15, 0.3)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    count = rng.randint(5, 7)
    for ridge in range(count):
        base = height * (0.3 + 0.6 * ridge / count)
        edge = [(along, base + rise) for along, rise in _ridge(width, height * 0.05, rng)]
        draw.polygon([(0, height), *edge, (width, height)], fill=160 - 150 * ridge // count)
    return shades.reduce(2)


def facets(size: Size, rng: Random) -> Image.Image:
    """Return an irregular mesh of triangles."""
    shades, draw = _canvas(size)
    step = max(shades.size) / rng.randint(7, 12)
    columns, rows = (int(side / step) + 3 for side in shades.size)
    corner = {
        (column, row): (
            (column - 1 + rng.uniform(-0.35, 0.35)) * step,
            (row - 1 + rng.uniform(-0.35, 0.35)) * step,
        )
        for column in range(columns + 1)
        for row in range(rows + 1)
    }
    for column in range(columns):
        for row in range(rows):
            one, two = corner[column, row], corner[column + 1, row]
            three, four = corner[column, row + 1], corner[column + 1, row + 1]
            draw.polygon([one, two, three], fill=rng.randint(40, 220))
            draw.polygon([two, four, three], fill=rng.randint(40, 220))
    return shades.reduce(2)


def quilt(size: Size, rng: Random) -> Image.Image:
    """Return square patches, each with a quarter of a disc around one of its corners."""
    shades, draw = _canvas(size)
    side = max(1, max(shades.size) // rng.randint(6, 10))
    for left in range(0, shades.width, side):
        for top in range(0, shades.height, side):
            draw.rectangle((left, top, left + side, top + side), fill=rng.randint(40, 110))
            turn = rng.randrange(4)
            x = left + side * (turn in (1, 2))
            y = top + side * (turn in (2, 3))
            disc = (x - side, y - side, x + side, y + side)
            draw.pieslice(disc, 90 * turn, 90 * turn + 90, fill=rng.randint(120, 230))
    return shades.reduce(2)


def _canvas(size: Size) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (2 * size[0], 2 * size[1]))
    return image, ImageDraw.Draw(image)


def _random_point(size: Size, rng: Random) -> tuple[int, int]:
    return rng.randrange(size[0]), rng.randrange(size[1])


def _ridge(width: int, swing: float, rng: Random) -> list[tuple[float, float]]:
    """Return the points of a line that is the sum of three sine waves."""
    waves = [(rng.uniform(2, 5) * n, rng.uniform(0, 2 * pi), swing / n) for n in (1, 2, 4)]
    return [
        (width * x / 96, sum(high * sin(fast * x / 96 + late) for fast, late, high in waves))
        for x in range(97)
    ]


PATTERNS: list[Pattern] = [bubbles, rings, rays, hills, facets, quilt]
