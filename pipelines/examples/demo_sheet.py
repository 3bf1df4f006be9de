# SPDX-License-Identifier: Apache-2.0
"""The demo's contact sheet: one moment large, the face close up, and more moments small."""

import textwrap

from PIL import Image, ImageDraw, ImageFont

FONTS = "/usr/share/fonts/truetype/dejavu/"
PAPER, INK, QUIET = (18, 20, 24), (240, 240, 236), (150, 156, 166)
EDGE, GAP = 40, 20


def font(size, name="DejaVuSans.ttf"):
    return ImageFont.truetype(FONTS + name, size)


def picture(frame):
    width, height, data = frame
    return Image.frombytes("RGB", (width, height), data)


def face_box(image, outline):
    """The box that the pipeline drew, found by its colour; the middle of the picture if there is none."""
    width, height = image.size
    near = [Image.eval(channel, lambda value, wanted=wanted: 255 if abs(value - wanted) < 60 else 0)
            for channel, wanted in zip(image.split(), outline)]
    pixels = [near[channel].load() for channel in range(3)]
    hits = [(x, y) for y in range(height) for x in range(width) if all(channel[x, y] for channel in pixels)]
    if len(hits) < 50:
        return width * 0.3, height * 0.2, width * 0.7, height * 0.7
    columns, rows = sorted(x for x, _ in hits), sorted(y for _, y in hits)
    cut = len(hits) // 100  # single stray pixels are no box
    return columns[cut], rows[cut], columns[-1 - cut], rows[-1 - cut]


def close_up(image, box, size, scale):
    """A crop of the box's middle with the shape of size, in a picture whose box was found at `scale` times its size."""
    left, top, right, bottom = (edge / scale for edge in box)
    height = (bottom - top) * 1.25
    width = height * size[0] / size[1]
    x = min(max((left + right) / 2, width / 2), image.width - width / 2)
    y = min(max((top + bottom) / 2, height / 2), image.height - height / 2)
    return image.resize(size, Image.Resampling.BICUBIC, (x - width / 2, y - height / 2, x + width / 2, y + height / 2))


class Sheet:
    def __init__(self, width, height):
        self.image = Image.new("RGB", (width, height), PAPER)
        self.pen = ImageDraw.Draw(self.image)

    def text(self, x, y, words, size, colour=INK, name="DejaVuSans.ttf"):
        self.pen.text((x, y), words, fill=colour, font=font(size, name))

    def put(self, x, y, image, label, size=17):
        self.image.paste(image, (x, y))
        letters = font(size)
        left, _, right, bottom = self.pen.textbbox((0, 0), label, font=letters)
        self.pen.rectangle((x, y, x + right - left + size, y + bottom + size // 2), fill=PAPER)
        self.pen.text((x + size // 2, y + size // 4), label, fill=INK, font=letters)


def draw(path, pairs, outline, line, figures):
    """pairs: (before, after) of some moments, each (width, height, RGB bytes), after twice as large."""
    pairs = [(picture(before), picture(after)) for before, after in pairs]
    hero_before, hero_after = pairs[len(pairs) // 2]
    width = 2 * hero_after.width + GAP + 2 * EDGE
    zoom_height = 420
    small_width = (width - 2 * EDGE - GAP * (2 * len(pairs) - 1)) // (2 * len(pairs))
    small_height = small_width * hero_after.height // hero_after.width
    tops = [150]
    tops.append(tops[0] + hero_after.height + GAP)
    tops.append(tops[1] + zoom_height + GAP)
    tops.append(tops[2] + small_height + 24)
    sheet = Sheet(width, tops[3] + 100)

    sheet.text(EDGE, 32, "Sluice", 44, INK, "DejaVuSans-Bold.ttf")
    sheet.text(EDGE + 190, 34, "faces found, background blurred, twice the size:", 26)
    sheet.text(EDGE + 190, 66, "three networks in one GStreamer pipeline, on the CPU", 26, QUIET)
    sheet.text(EDGE, 110, line, 20, QUIET, "DejaVuSansMono.ttf")

    size = hero_after.size
    second = EDGE + size[0] + GAP
    sheet.put(EDGE, tops[0], hero_before.resize(size, Image.Resampling.BILINEAR),
              f"before: {hero_before.width}x{hero_before.height}, enlarged")
    sheet.put(second, tops[0], hero_after, f"after: {size[0]}x{size[1]}")

    box = face_box(hero_after, outline)
    zoom = (size[0], zoom_height)
    sheet.put(EDGE, tops[1], close_up(hero_before, box, zoom, 2), "before, close up (bicubic)")
    sheet.put(second, tops[1], close_up(hero_after, box, zoom, 1), "after, close up")

    x = EDGE
    for before, after in pairs:
        for image, label in ((before, "before"), (after, "after")):
            sheet.put(x, tops[2], image.resize((small_width, small_height), Image.Resampling.LANCZOS), label, 12)
            x += small_width + GAP
    for row, words in enumerate(textwrap.wrap(figures, 125)):
        sheet.text(EDGE, tops[3] + 30 * row, words, 22)
    sheet.image.save(path)
