"""Draw the panel of a picture: the prompt, and a caption with number, ratio and size."""

from PIL import Image, ImageDraw

from mock_server.images.palette import BLACK, WHITE, Colour, Palette, mix
from mock_server.images.picture import Picture
from mock_server.images.text_layout import Box, LetterWidths, TextBlock, fit_prompt

PANEL_OPACITY = 0.8

# Sizes are shares of the picture's shorter side.
MARGIN = 0.045
PADDING = 0.034
CAPTION_SIZE = 0.025

# Each row is a letter size and the share of the picture's height that its lines may fill.
# Short prompts get large letters and hide less of the pattern.
LETTER_SIZES = [
    (0.066, 0.28),
    (0.054, 0.36),
    (0.045, 0.44),
    (0.037, 0.52),
    (0.031, 0.60),
    (0.027, 0.68),
    (0.024, 0.76),
]


def draw_panel(image: Image.Image, picture: Picture, palette: Palette) -> None:
    """Draw the panel in the lower left corner; it is as large as its text."""
    unit = min(image.size)
    margin, padding = round(unit * MARGIN), round(unit * PADDING)
    block = fit_prompt(picture.prompt, _boxes(image.size, image.width - 2 * (margin + padding)))
    caption_widths = LetterWidths(max(1, round(unit * CAPTION_SIZE)))
    caption = _caption(picture)

    width = max(block.width, round(caption_widths.measure(caption)))
    height = block.height + max(1, round(unit * CAPTION_SIZE * (1.9 if block.lines else 0.75)))
    if block.note:
        width = max(width, round(caption_widths.measure(block.note)))
        height += round(unit * CAPTION_SIZE * 1.5)
    left, bottom = margin + padding, image.height - margin - padding
    background = mix(BLACK, palette.darkest, 0.7)
    _draw_background(image, (left, bottom - height, left + width, bottom), padding, background)

    ink = mix(WHITE, palette.lightest, 0.2)
    draw = ImageDraw.Draw(image)
    _draw_text(draw, block, (left, bottom - height), ink)
    faint = mix(background, ink, 0.75)
    draw.text((left, bottom), caption, fill=faint, font=caption_widths.font, anchor="ls")
    if block.note:
        above = (left, bottom - round(unit * CAPTION_SIZE * 1.5))
        draw.text(above, block.note, fill=faint, font=caption_widths.font, anchor="ls")


def _boxes(size: tuple[int, int], width: int) -> list[Box]:
    unit, height = min(size), size[1]
    return [
        Box(max(1, round(unit * letter_size)), max(1, width), round(height * max_height))
        for letter_size, max_height in LETTER_SIZES
    ]


def _caption(picture: Picture) -> str:
    number = f"{picture.number}/{picture.count}"
    size = f"{picture.width} \N{MULTIPLICATION SIGN} {picture.height}"
    return f"{number}   ·   {picture.ratio}   ·   {size}"


def _draw_background(
    image: Image.Image, text: tuple[int, int, int, int], padding: int, colour: Colour
) -> None:
    """Darken the area of a text and the padding around it, with rounded, smooth corners."""
    left, top, right, bottom = text
    width, height = right - left + 2 * padding, bottom - top + 2 * padding
    mask = Image.new("L", (2 * width, 2 * height))
    corners = (0, 0, 2 * width - 1, 2 * height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corners, padding, fill=round(255 * PANEL_OPACITY))
    image.paste(colour, (left - padding, top - padding), mask.reduce(2))


def _draw_text(
    draw: ImageDraw.ImageDraw, block: TextBlock, corner: tuple[int, int], ink: Colour
) -> None:
    widths = LetterWidths(block.box.letter_size)
    left, y = corner
    ascent, _ = widths.font.getmetrics()
    for row, line in enumerate(block.lines):
        top, x = y + row * block.box.line_height, float(left)
        for part, font, width in widths.drawn_parts(line):
            draw.text((x, top + ascent), part, fill=ink, font=font, anchor="ls")
            x += width
