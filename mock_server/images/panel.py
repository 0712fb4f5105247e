"""The panel on a picture: the prompt, and below it a line of facts."""

from PIL import Image, ImageDraw

from mock_server.images.lettering import Block, Box, Letters, fit
from mock_server.images.palette import BLACK, WHITE, Colour, Palette, mix
from mock_server.images.picture import Picture

SHADE = 0.8  # how much of the pattern the panel hides

# Shares of the picture's shorter side.
MARGIN = 0.045
PADDING = 0.034
FACTS = 0.025

# The size of the letters as a share of the shorter side, and how much of the height their lines
# may take: the shorter the prompt, the larger its letters, and the more is seen of the pattern.
SIZES = [
    (0.066, 0.28),
    (0.054, 0.36),
    (0.045, 0.44),
    (0.037, 0.52),
    (0.031, 0.60),
    (0.027, 0.68),
    (0.024, 0.76),
]


def draw_panel(image: Image.Image, picture: Picture, palette: Palette) -> None:
    """Lay the panel into the lower left corner, as large as its text."""
    unit = min(image.size)
    margin, padding = round(unit * MARGIN), round(unit * PADDING)
    block = fit(picture.prompt, _boxes(image.size, image.width - 2 * (margin + padding)))
    letters = Letters(max(1, round(unit * FACTS)))
    facts = _facts(picture)

    width = max(block.width, round(letters.width(facts)))
    height = block.height + max(1, round(unit * FACTS * (1.9 if block.lines else 0.75)))
    left, bottom = margin + padding, image.height - margin - padding
    ground = mix(BLACK, palette.darkest, 0.7)
    _shade(image, (left, bottom - height, left + width, bottom), padding, ground)

    ink = mix(WHITE, palette.lightest, 0.2)
    draw = ImageDraw.Draw(image)
    _write(draw, block, (left, bottom - height), ink)
    faint = mix(ground, ink, 0.75)
    draw.text((left, bottom), facts, fill=faint, font=letters.font, anchor="ls")


def _boxes(size: tuple[int, int], width: int) -> list[Box]:
    unit, height = min(size), size[1]
    return [
        Box(max(1, round(unit * letters)), max(1, width), round(height * tallest))
        for letters, tallest in SIZES
    ]


def _facts(picture: Picture) -> str:
    order = f"{picture.number}/{picture.count}"
    size = f"{picture.width} \N{MULTIPLICATION SIGN} {picture.height}"
    return f"{order}   ·   {picture.ratio}   ·   {size}"


def _shade(
    image: Image.Image, text: tuple[int, int, int, int], padding: int, ground: Colour
) -> None:
    """Darken the ground of a text and the padding around it, with rounded, smooth corners."""
    left, top, right, bottom = text
    width, height = right - left + 2 * padding, bottom - top + 2 * padding
    mask = Image.new("L", (2 * width, 2 * height))
    corners = (0, 0, 2 * width - 1, 2 * height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corners, padding, fill=round(255 * SHADE))
    image.paste(ground, (left - padding, top - padding), mask.reduce(2))


def _write(draw: ImageDraw.ImageDraw, block: Block, at: tuple[int, int], ink: Colour) -> None:
    font = Letters(block.box.letter_size).font
    x, y = at
    for row, line in enumerate(block.lines):
        draw.text((x, y + row * block.box.leading), line, fill=ink, font=font, anchor="la")
