"""The poster: entry codes on one A4 sheet, to print or to send as a picture.

Owns the geometry of the sheet. It draws the codes that it is given, and requests none from WeChat.
"""

import secrets
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

from app.core import province
from app.core.texts import citizen_languages
from app.wechat.miniprogram_codes import MiniProgramCode
from app.wechat.poster_texts import TEXTS

DPI: Final = 300
WIDTH, HEIGHT = 2480, 3508  # A4 in pixels
FILE_TYPES: Final = (".pdf", ".png")
MAX_WIDTH: Final = {1: 1280, 2: 840, 3: 720}  # pixels of a code, by how many are on the sheet

MARGIN: Final = 200
_BAND, _STRIPE, _FOOT = 764, 28, 3180  # where the band ends, how high the stripe below it is, where the foot begins
_GAP: Final = 96  # between a code and its texts

_GREEN, _WHITE, _PALE, _LINE = "#0a7a41", "#ffffff", "#cfe6d9", "#d5ddd8"
_INK, _GREY = "#18241e", "#56635c"
_STRIPES: Final = ("#2fa866", "#ffcb1f", "#f47b20", "#c4161c")  # the four colors, one beside the other

_ART: Final = Path(__file__).with_name("art")

DrawnCode = tuple[MiniProgramCode, bytes]  # with the image that WeChat drew


class PosterRow(NamedTuple):
    """The part of the sheet that one code has: its upper edge and its height."""

    top: int
    height: int


class PosterLine(NamedTuple):
    """One line of a block: its text, its color, and the distance of its baseline from the one above."""

    part: str
    color: str
    step: int


BLOCK: Final = (
    PosterLine("zh", _GREEN, 104),
    PosterLine("en", _GREY, 84),
    PosterLine("ko", _GREY, 72),
    PosterLine("zh-1", _INK, 106),
    PosterLine("zh-2", _INK, 84),
    PosterLine("en-1", _GREY, 88),
    PosterLine("en-2", _GREY, 60),
    PosterLine("ko-1", _GREY, 76),
    PosterLine("ko-2", _GREY, 58),
)


def _lines() -> list[PosterLine]:
    """Return the lines of a block in the languages of this province."""
    return [line for line in BLOCK if line.part.partition("-")[0] in citizen_languages()]


def _block_height() -> int:
    return sum(line.step for line in _lines())


def draw_poster(codes: Sequence[DrawnCode], width: int) -> Image.Image:
    """Return the sheet with one to three codes and their images, each `width` pixels wide.

    `width` is at most MAX_WIDTH of so many codes.
    """
    page = Image.new("RGB", (WIDTH, HEIGHT), _WHITE)
    _draw_head(page)
    _draw_foot(page)
    top, height = _BAND + _STRIPE, (_FOOT - _BAND - _STRIPE) // len(codes)
    if len(codes) == 1:
        _draw_centered(page, codes[0], width, PosterRow(top, height))
        return page
    for place, code in enumerate(codes):
        row = PosterRow(top + place * height, height)
        _draw_row(page, code, width, row)
        if place:
            page.paste(_LINE, (MARGIN, row.top, WIDTH - MARGIN, row.top + 3))
    return page


def encode(page: Image.Image, ending: str) -> bytes:
    """Return the sheet as a .pdf or .png file with its size on paper."""
    file = BytesIO()
    if ending == ".pdf":
        page.save(file, "PDF", resolution=DPI, quality=95, subsampling=0, title=province.current().full_name)
    else:
        page.save(file, "PNG", dpi=(DPI, DPI), optimize=True)
    return file.getvalue()


def write_atomically(file: Path, content: bytes) -> None:
    """Write or replace a file, completely or not at all. Raises OSError."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _draw_head(page: Image.Image) -> None:
    """Draw the band with the title, and the stripe of four colors below it."""
    page.paste(_GREEN, (0, 0, WIDTH, _BAND))
    _write(page, "title-zh", _WHITE, MARGIN - 14, 444)
    _write(page, "title-en", _PALE, MARGIN, 616)
    _write(page, "title-ko", _PALE, MARGIN + _mask("title-en").width + 64, 616)
    _write_right(page, "column-zh", _WHITE, 368)
    _write_right(page, "place-zh", _PALE, 476)
    _write_right(page, "place-en", _PALE, 548)
    _write_right(page, "place-ko", _PALE, 616)
    part = WIDTH // len(_STRIPES)
    for place, color in enumerate(_STRIPES):
        page.paste(color, (place * part, _BAND, (place + 1) * part, _BAND + _STRIPE))


def _draw_foot(page: Image.Image) -> None:
    page.paste(_LINE, (MARGIN, _FOOT, WIDTH - MARGIN, _FOOT + 3))
    _write(page, "foot-zh", _GREY, MARGIN, _FOOT + 86)
    _write(page, "foot-en", _GREY, MARGIN, _FOOT + 148)
    _write(page, "foot-ko", _GREY, MARGIN, _FOOT + 206)


def _draw_row(page: Image.Image, drawn: DrawnCode, width: int, row: PosterRow) -> None:
    """Draw the code at the left and its texts beside it, both in the middle of the row."""
    code, image = drawn
    _place(page, image, width, MARGIN, row.top + (row.height - width) // 2)
    baseline = row.top + (row.height - _block_height()) // 2
    for line in _lines():
        baseline += line.step
        _write(page, f"{code.id}-{line.part}", line.color, MARGIN + width + _GAP, baseline)


def _draw_centered(page: Image.Image, drawn: DrawnCode, width: int, row: PosterRow) -> None:
    """Draw the code in the middle of the sheet, its texts below it."""
    code, image = drawn
    top = row.top + (row.height - width - _GAP - _block_height()) // 2
    _place(page, image, width, (WIDTH - width) // 2, top)
    baseline = top + width + _GAP
    for line in _lines():
        baseline += line.step
        name = f"{code.id}-{line.part}"
        _write(page, name, line.color, (WIDTH - _mask(name).width) // 2, baseline)


def _place(page: Image.Image, image: bytes, width: int, left: int, top: int) -> None:
    """Paste the image of a code; it is scaled only when WeChat drew it in another width."""
    code = Image.open(BytesIO(image)).convert("RGB")
    page.paste(code if code.size == (width, width) else code.resize((width, width)), (left, top))


def _write_right(page: Image.Image, name: str, color: str, baseline: int) -> None:
    _write(page, name, color, WIDTH - MARGIN - _mask(name).width, baseline)


def _write(page: Image.Image, name: str, color: str, left: int, baseline: int) -> None:
    """Write a text in a color, beginning at `left`; nothing in a language that the province has not."""
    if name.rpartition("-")[2] == "ko" and "ko" not in citizen_languages():
        return
    page.paste(color, (left, baseline - TEXTS[name].baseline), _mask(name))


def _art() -> Path:
    return province.current().pictures("poster", _ART)


def _mask(name: str) -> Image.Image:
    return Image.open(BytesIO((_art() / f"{name}.png").read_bytes()))
