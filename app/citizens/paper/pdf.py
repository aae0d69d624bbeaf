"""The PDF of a card: A6, black on white, with code, masked name and what to do, in Chinese and another language.

The font is that of the settings; of it only the letters on the card are embedded.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.citizens.paper.fitting import POINT, Room, fit
from app.citizens.paper.holders import PrintedCard
from app.codes import qr
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.texts import slugs, text

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH, HEIGHT = 148.0, 105.0  # millimetres
_MARGIN: Final = 8.0
_MODULE: Final = 1.1  # millimetres: the symbol is 54 wide, which any camera reads from half a metre
_TOP: Final = 24.0
_TEXT: Final = _MARGIN + (qr.MODULES + 4) * _MODULE + 4  # where the words begin
_LEADING: Final = 1.25
_NAME: Final = Room(WIDTH - _MARGIN - _TEXT, 6.3, _LEADING)  # a line at its size, so that the steps below it stay
_FONT: Final = "card"


def render(card: PrintedCard, font_file: Path, language: str = "en") -> bytes:
    """Return a card as PDF, in Chinese for the inspector and in the language of its holder beside it.

    Whoever reads Chinese has English beside it. Raises Problem `paper-font-missing`.
    """
    pdf, languages = _begin(font_file), ("zh", "en" if language == "zh" else language)
    pdf.add_page()
    pdf.set_xy(_MARGIN, 8)
    for size, one in zip((20.0, 10.0), languages, strict=True):
        pdf.set_font(_FONT, size=size)
        pdf.cell(h=10, text=text("paper-card", "title", one))
    pdf.line(_MARGIN, 19.5, WIDTH - _MARGIN, 19.5)
    _draw_code(pdf, card.token, languages)
    pdf.set_xy(_TEXT, _TOP)
    for slug, value, size in _fields(card, languages):
        _write(pdf, _together("paper-card", slug, languages), 6.5)
        _write(pdf, *(fit(pdf, _FONT, value, size, _NAME) if slug == "name" else (value, size)))
        pdf.ln(1.6)
    for slug in slugs("paper-card-steps"):
        for size, one in zip((7.5, 6.0), languages, strict=True):
            _write(pdf, text("paper-card-steps", slug, one), size)
        pdf.ln(0.6)
    return bytes(pdf.output())


def require_font(font_file: Path) -> int:
    """Return the place of our font in its file. Raises Problem `paper-font-missing`."""
    from fontTools.ttLib import TTLibError

    try:
        return _number_in_collection(font_file)
    except (OSError, TTLibError):
        raise Problem("paper-font-missing") from None


def _begin(font_file: Path) -> "FPDF":
    from fpdf import FPDF

    number = require_font(font_file)
    pdf = FPDF(orientation="landscape", unit="mm", format=(HEIGHT, WIDTH))
    pdf.set_auto_page_break(auto=False)
    pdf.set_margins(0, 0, 0)
    pdf.set_title(text("paper-card", "title", "zh"))
    pdf.set_lang("zh-CN")
    pdf.add_font(_FONT, fname=font_file, collection_font_number=number)
    return pdf


@cache
def _number_in_collection(font_file: Path) -> int:
    """Return the place of the font for simplified Chinese in a file of several; 0 in a file of one."""
    from fontTools.ttLib import TTCollection, TTFont

    with font_file.open("rb") as file:
        if file.read(4) != b"ttcf":
            TTFont(file, lazy=True)  # read here first, because fpdf2 leaves open what is no font
            return 0
        names = [str(font["name"].getDebugName(1)) for font in TTCollection(file, lazy=True).fonts]
    return next((number for number, name in enumerate(names) if name.endswith(" SC")), 0)


def _draw_code(pdf: "FPDF", token: str, languages: tuple[str, ...]) -> None:
    """Draw the modules as rectangles; the page around them is white for more than four modules."""
    for y, row in enumerate(qr.matrix(token)):
        for first, last in qr.runs(row):
            left, width = _MARGIN + first * _MODULE, (last - first) * _MODULE
            pdf.rect(left, _TOP + y * _MODULE, width, _MODULE, style="F")
    pdf.set_xy(_MARGIN, _TOP + qr.MODULES * _MODULE + 5)
    for language in languages:
        pdf.set_font(_FONT, size=8 if language == "zh" else 7)
        pdf.multi_cell(
            qr.MODULES * _MODULE, 4, text("paper-card", "scan", language), align="C", new_x="LEFT", new_y="NEXT"
        )


def _fields(card: PrintedCard, languages: tuple[str, ...]) -> Iterator[tuple[str, str, float]]:
    """Yield label, value and size of what is different on each card."""
    until = card.ends_at.astimezone(BEIJING)
    yield "name", card.name, 14.0
    yield "until", f"{until.year}年{until.month}月{until.day}日　{until:%Y-%m-%d}", 12
    yield "document", _together("paper-documents", card.document_type, languages), 8


def _together(section: str, slug: str, languages: tuple[str, ...]) -> str:
    return "　".join(text(section, slug, language) for language in languages)


def _write(pdf: "FPDF", words: str, size: float) -> None:
    """Write below what was written last."""
    pdf.set_font(_FONT, size=size)
    pdf.set_x(_TEXT)
    pdf.multi_cell(WIDTH - _MARGIN - _TEXT, size * POINT * _LEADING, words, align="L", new_x="LEFT", new_y="NEXT")
