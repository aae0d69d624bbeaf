"""Rendering of a code: black on white in the frame of its state, as SVG and as PNG.

Owns the geometry of the picture. tools/make_art.py makes the frames in `art/` in advance, with text as outlines, so
that no font is needed here. Draws its arguments and decides nothing.
"""

import re
import struct
import tomllib
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import MODE_ALPHA_NUM, QRData

from app.codes.states import State
from app.core import province
from app.core.texts import text

# In pixels, which are also the units of the SVG. The quiet zone is 4 modules on every side.
VERSION, MODULES, MODULE = 8, 49, 12
BORDER, HEADER = 48, 156
QUIET = 4 * MODULE
PANEL = MODULES * MODULE + 2 * QUIET
WIDTH, HEIGHT = PANEL + 2 * BORDER, HEADER + PANEL + BORDER
LEFT, TOP = BORDER + QUIET, HEADER + QUIET  # of the first module

_MASK = 2  # any mask is readable; choosing the best one would take four times as long as the rest
ART = Path(__file__).with_name("art")
_RUNS = re.compile("1+")

# PNG rows have two pixels a byte, palette entry 0 white and 1 black, as differences to the row above (filter type 2).
# So all rows of pixels in a row of modules cost as much as one, and compress well.
_STEPS = {"00": b"\x00", "11": b"\x00", "01": b"\x11", "10": b"\xef"}
_WHITE = "0" * MODULES

SIZES = (4, 12)  # pixels a module of the PNG: for files and for large prints, see docs/reference/readers.md
DEFAULT_SIZE = 4


def matrix(token: str) -> list[str]:
    """Return the modules of a token row by row, 1 for black: version 8, error correction M, without quiet zone."""
    code: QRCode[Any] = QRCode(VERSION, ERROR_CORRECT_M, mask_pattern=_MASK)
    code.add_data(QRData(token.encode(), MODE_ALPHA_NUM, check_data=False), optimize=0)
    code.make(fit=False)
    return ["".join(["1" if dark else "0" for dark in row]) for row in code.modules]


def runs(row: str) -> Iterator[tuple[int, int]]:
    """Yield where each run of black modules in a row begins and ends."""
    yield from (run.span() for run in _RUNS.finditer(row))


def svg(token: str, state: State, language: str) -> str:
    """Return the code in its frame as SVG, with a title for screen readers."""
    title = escape(text("frame", "title", language).format(state=text("states", state.name, language)))
    frame = _frames(_art())[state.name][language].strip()
    black = "".join(
        f"M{first} {y}h{last - first}v1H{first}z" for y, row in enumerate(matrix(token)) for first, last in runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" aria-label="{title}" lang="{language}"><title>{title}</title>{frame}'
        f'<path transform="translate({LEFT} {TOP}) scale({MODULE})" shape-rendering="crispEdges" d="{black}"/></svg>'
    )


def png(token: str, state: State, language: str, module: int = DEFAULT_SIZE) -> bytes:
    """Return the code in its frame as PNG, 16 colors, with so many pixels a module: one of SIZES."""
    picture = _picture(_art(), state, language, module)
    raw = bytearray(picture.raw)
    rows = matrix(token)
    steps = {step: byte * (module // 2) for step, byte in _STEPS.items()}
    stride, left, top = 1 + scaled(WIDTH, module) // 2, scaled(LEFT, module), scaled(TOP, module)
    for y, (above, row) in enumerate(zip([_WHITE, *rows], [*rows, _WHITE], strict=True)):
        pixels = b"".join([steps[upper + lower] for upper, lower in zip(above, row, strict=True)])
        start = (top + y * module) * stride + 1 + left // 2
        raw[start : start + len(pixels)] = pixels
    return picture.head + chunk(b"IDAT", zlib.compress(raw, 1)) + chunk(b"IEND", b"")


def scaled(length: int, module: int) -> int:
    """Return a length of the SVG in pixels of a PNG of this size."""
    return length * module // MODULE


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class _Picture(NamedTuple):
    """A frame without modules: the file before its pixels, and its rows, each as differences to the row above."""

    head: bytes
    raw: bytes


def _art() -> Path:
    return province.current().pictures("codes", ART)


@cache
def _picture(art: Path, state: State, language: str, module: int) -> _Picture:
    file = (art / str(module) / f"{state.name.lower()}-{language}.png").read_bytes()
    at = file.index(b"IDAT") - 4
    size = int.from_bytes(file[at : at + 4], "big")
    return _Picture(file[:at], zlib.decompress(file[at + 8 : at + 8 + size]))


@cache
def _frames(art: Path) -> dict[str, dict[str, str]]:
    """Return the SVG elements of each frame, by state and language."""
    return tomllib.loads((art / "frames.toml").read_text(encoding="utf-8"))
