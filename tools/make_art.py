"""Make the frames in app/codes/art, the words of the poster in app/wechat/art and the marks of the states in the
mini-program's images: `python -m tools.make_art`. With `--province FILE` frames and words in the names of another
province, into art/ beside its file.

Run it after a change of design, words or geometry, and look at every picture. It needs, beside the system:
the Python package fonttools, and from Debian chromium and fonts-noto-cjk (Noto Sans CJK, SIL Open Font License 1.1).
Words become outlines and masks here, so that the system draws them without any font.
"""

import argparse
import struct
import subprocess
import tempfile
import zlib
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTCollection
from PIL import Image

from app.codes import qr
from app.codes.states import State
from app.codes.tokens import STATES_WITH_TOKEN
from app.core import province
from app.core.texts import citizen_languages, text
from tools.looks import LOOKS, Look
from tools.poster_words import FONTS, POSTER_ART, make_poster_words

CHROMIUM = "/usr/bin/chromium"
FONT = FONTS / "NotoSansCJK-Bold.ttc"
IMAGES = Path(__file__).parents[1] / "miniprogram_stub" / "images"
SIZES = {"zh": (72, 34, 25), "ko": (66, 32, 25)}  # of the state's word, the name and the place
LATIN = (60, 28, 22)  # words are longer
RADIUS, PANEL_RADIUS = 44, 24


class Outlines:
    """Words as SVG paths in one font."""

    def __init__(self, file: Path) -> None:
        fonts = TTCollection(file).fonts
        self._font = next(font for font in fonts if font["name"].getDebugName(1).startswith("Noto Sans CJK SC"))
        self._glyphs = self._font.getGlyphSet()
        self._names = self._font.getBestCmap()
        self._em = self._font["head"].unitsPerEm

    def width(self, words: str, size: float) -> float:
        """Return the advance of the words in a size of so many units an em."""
        width: float = sum(self._glyphs[self._names[ord(sign)]].width for sign in words) * size / self._em
        return width

    def path(self, words: str, size: float, x: float, baseline: float) -> str:
        """Return the outlines of the words, their advance beginning at x."""
        pen, scale = SVGPathPen(self._glyphs, ntos=lambda number: f"{number:.1f}".removesuffix(".0")), size / self._em
        for sign in words:
            glyph = self._glyphs[self._names[ord(sign)]]
            glyph.draw(TransformPen(pen, (scale, 0, 0, -scale, x, baseline)))
            x += glyph.width * scale
        commands: str = pen.getCommands()
        return commands


def frame(state: State, language: str, outlines: Outlines) -> str:
    """Return the SVG elements of a frame: card, panel, mark, the state's word, and the issuer."""
    look = LOOKS[state]
    card = f'<rect width="{qr.WIDTH}" height="{qr.HEIGHT}" rx="{RADIUS}" fill="{look.color}"/>'
    if state == State.UNVERIFIED:
        card = _broken_edge(look)
    panel = (
        f'<rect x="{qr.BORDER}" y="{qr.HEADER}" width="{qr.PANEL}" height="{qr.PANEL}"'
        f' rx="{PANEL_RADIUS}" fill="#ffffff"/>'
    )
    mark = look.mark.format(c=look.color, i=look.ink)
    words = _words(state, language, outlines)
    return f'{card}{panel}<g transform="translate(52 34)">{mark}</g><path d="{words}" fill="{look.ink}"/>'


def _broken_edge(look: Look) -> str:
    """Return a card with a dashed edge, for the state without a health decision: whole corners, dashes between them."""
    line, dash = 16, 44
    near, corner, right, bottom = line // 2, RADIUS, qr.WIDTH - line // 2, qr.HEIGHT - line // 2
    radius = corner - near
    arcs = (
        f"M{near} {corner}A{radius} {radius} 0 0 1 {corner} {near}"
        f"M{right - radius} {near}A{radius} {radius} 0 0 1 {right} {corner}"
        f"M{right} {bottom - radius}A{radius} {radius} 0 0 1 {right - radius} {bottom}"
        f"M{corner} {bottom}A{radius} {radius} 0 0 1 {near} {bottom - radius}"
    )
    across, down = qr.WIDTH - 2 * corner, qr.HEIGHT - 2 * corner
    dashes = "".join(
        f'<path d="{path}" stroke-dasharray="{dash} {_gap(length, dash)}" stroke-dashoffset="-{_gap(length, dash)}"/>'
        for path, length in (
            (f"M{corner} {near}h{across}M{corner} {bottom}h{across}", across),
            (f"M{near} {corner}v{down}M{right} {corner}v{down}", down),
        )
    )
    return (
        f'<rect width="{qr.WIDTH}" height="{qr.HEIGHT}" rx="{corner}" fill="{look.color}"/>'
        f'<g fill="none" stroke="{look.ink}" stroke-width="{line}"><path d="{arcs}"/>{dashes}</g>'
    )


def _gap(length: int, dash: int) -> float:
    """Return the gap with which dashes fill a length evenly, beginning and ending with a gap."""
    count = round((length - 28) / (dash + 28))
    return round((length - count * dash) / (count + 1), 3)


def _words(state: State, language: str, outlines: Outlines) -> str:
    word, name, place = (
        text(*which, language) for which in (("states", state.name), ("frame", "name"), ("frame", "place"))
    )
    size, name_size, place_size = SIZES.get(language, LATIN)
    right = qr.WIDTH - qr.BORDER - 6
    return (
        outlines.path(word, size, 174, 82 + size * 0.37)
        + outlines.path(name, name_size, right - outlines.width(name, name_size), 78)
        + outlines.path(place, place_size, right - outlines.width(place, place_size), 116)
    )


# --- pictures --------------------------------------------------------------------------------------------------


def rasterize(
    elements: str, width: int, height: int, module: int = qr.MODULE, background: str = "00000000"
) -> Image.Image:
    """Return SVG elements as pixels, drawn by Chromium, in the size of a module."""
    wide, high = qr.scaled(width, module), qr.scaled(height, module)
    window = f"{max(wide, 500)},{max(high, 500)}"  # Chromium has no narrower one
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "picture.svg"), Path(directory, "picture.png")
        source.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"'
            f' viewBox="0 0 {width} {height}">{elements}</svg>',
            encoding="utf-8",
        )
        options = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
            f" --disable-component-update --disable-sync --hide-scrollbars --user-data-dir={directory}/profile"
            f" --default-background-color={background} --window-size={window} --screenshot={target}"
        )
        subprocess.run([CHROMIUM, *options.split(), source.as_uri()], check=True, capture_output=True, timeout=120)
        return Image.open(target).convert("RGBA").crop((0, 0, wide, high))


def palette(look: Look) -> list[tuple[int, ...]]:
    """Return 16 colors: white, black, transparent, color and ink, and the steps of smooth edges between them."""
    white, black, clear = (255, 255, 255, 255), (0, 0, 0, 255), (0, 0, 0, 0)
    color, ink = _rgba(look.color), _rgba(look.ink)
    edge = ink if look.color == LOOKS[State.UNVERIFIED].color else color
    entries = [white, black, clear, color, ink]
    entries += [(*edge[:3], alpha) for alpha in (64, 128, 192)]
    steps = 4 if ink != white else 8
    entries += [_mix(color, ink, step / (steps + 1)) for step in range(1, steps + 1)]
    entries += [_mix(color, white, step / (steps + 1)) for step in range(1, steps + 1)]
    return list(dict.fromkeys(entries))[:16]


def _rgba(color: str) -> tuple[int, ...]:
    return (*bytes.fromhex(color[1:]), 255)


def _mix(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def write_png(image: Image.Image, look: Look, file: Path) -> None:
    """Write the picture as qr.png reads it: palette of 16, two pixels a byte, rows as differences to the row above."""
    entries = palette(look)
    nearest: dict[Any, int] = {}
    for _, pixel in image.getcolors(1 << 24) or []:
        assert isinstance(pixel, tuple)  # of the four channels
        nearest[pixel] = min(range(len(entries)), key=lambda at: _distance(entries[at], pixel))
    places = [nearest[pixel] for pixel in image.get_flattened_data()]
    pairs = bytes(left << 4 | right for left, right in zip(places[::2], places[1::2], strict=True))
    size = image.width // 2
    rows = [bytes(size), *(pairs[at : at + size] for at in range(0, len(pairs), size))]
    raw = b"".join(
        b"\2" + bytes((here - up) % 256 for up, here in zip(above, row, strict=True)) for above, row in pairwise(rows)
    )
    header = struct.pack(">IIBBBBB", image.width, image.height, 4, 3, 0, 0, 0)
    colors = b"".join(bytes(entry[:3]) for entry in entries)
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + qr.chunk(b"IHDR", header)
        + qr.chunk(b"PLTE", colors)
        + qr.chunk(b"tRNS", bytes(entry[3] for entry in entries))
        + qr.chunk(b"IDAT", zlib.compress(raw, 9))
        + qr.chunk(b"IEND", b"")
    )


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the distance of two colors over white."""
    over = [[255 + (channel - 255) * color[3] // 255 for channel in color[:3]] for color in (one, other)]
    distance: float = sum((a - b) ** 2 for a, b in zip(*over, strict=True)) + (one[3] - other[3]) ** 2
    return distance


def make_frames(art: Path) -> None:
    outlines = Outlines(FONT)
    lines = ["# Made by tools/make_art.py; words are outlines of Noto Sans CJK SC Bold (SIL Open Font License 1.1).\n"]
    for state, language in product(STATES_WITH_TOKEN, citizen_languages()):
        elements = frame(state, language, outlines)
        for module in qr.SIZES:
            image = rasterize(elements, qr.WIDTH, qr.HEIGHT, module)
            folder = art / str(module)
            folder.mkdir(parents=True, exist_ok=True)
            write_png(image, LOOKS[state], folder / f"{state.name.lower()}-{language}.png")
        if language == citizen_languages()[0]:
            lines.append(f"\n[{state.name}]\n")
        lines.append(f"{language} = '{elements}'\n")
    (art / "frames.toml").write_text("".join(lines), encoding="utf-8")


def make_marks() -> None:
    """Write the marks alone, which the mini-program lays on their color; not-declared uses that of unverified."""
    for state in (*STATES_WITH_TOKEN, State.NOT_DECLARED):
        look = LOOKS[State.UNVERIFIED if state == State.NOT_DECLARED else state]
        mark = look.mark.format(c=look.color, i=look.ink)
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">{mark}</svg>\n'
        (IMAGES / f"state-{state.name.lower()}.svg").write_text(drawing, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--province", type=Path, metavar="FILE", help="the province.toml of another province")
    file = parser.parse_args().province
    if file is None:
        make_frames(qr.ART)
        make_marks()
        make_poster_words(POSTER_ART)
        return
    province.choose(file)
    make_frames(file.parent / "art" / "codes")
    make_poster_words(file.parent / "art" / "poster")


if __name__ == "__main__":
    main()
