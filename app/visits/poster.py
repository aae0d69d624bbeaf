"""The poster of an entrance: A5, black on white, with the venue code, names, what to do and until when it is good.

The font is that of the cards on paper; of it only the letters on the poster are embedded.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from app.citizens.paper.fitting import POINT, Room, fit
from app.citizens.paper.pdf import require_font
from app.codes import qr
from app.core.clock import BEIJING
from app.core.texts import slugs, text

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH, HEIGHT = 148.0, 210.0  # millimetres
_MODULE: Final = 2.0  # millimetres: the symbol is 98 wide, which a phone reads from a metre
_TOP: Final = 52.0
_LEADING: Final = 1.3
_NAMES: Final = Room(WIDTH - 20, 9.5, _LEADING)  # between the title and the day until which it is good
_FONT: Final = "poster"
_LANGUAGES: Final = ("zh", "en")


class Poster(NamedTuple):
    """What is on a poster: the venue, the entrance, the text of the code, and until when it is good."""

    venue: str
    entrance: str
    token: str
    ends_at: datetime


def render(poster: Poster, font_file: Path) -> bytes:
    """Return a poster as PDF. Raises Problem `paper-font-missing`."""
    pdf = _begin(font_file)
    _write(pdf, 10, 24, text("venue-poster", "title", "zh"))
    _write(pdf, 21, 11, text("venue-poster", "title", "en"))
    names, size = fit(pdf, _FONT, f"{poster.venue}　{poster.entrance}", 15, _NAMES)
    _write(pdf, 30, size, names)
    until = poster.ends_at.astimezone(BEIJING)
    _write(pdf, 40, 8.5, "　".join(text("venue-poster", "until", one) for one in _LANGUAGES) + f" {until:%Y-%m-%d}")
    _draw(pdf, poster.token)
    top = _TOP + qr.MODULES * _MODULE + 6
    for slug in slugs("venue-poster-steps"):
        for size, one in zip((9.5, 7.0), _LANGUAGES, strict=True):
            top = _write(pdf, top, size, text("venue-poster-steps", slug, one))
        top += 1.5
    return bytes(pdf.output())


def _begin(font_file: Path) -> "FPDF":
    from fpdf import FPDF

    number = require_font(font_file)
    pdf = FPDF(orientation="portrait", unit="mm", format=(WIDTH, HEIGHT))
    pdf.set_auto_page_break(auto=False)
    pdf.set_margins(0, 0, 0)
    pdf.set_title(text("venue-poster", "title", "zh"))
    pdf.set_lang("zh-CN")
    pdf.add_font(_FONT, fname=font_file, collection_font_number=number)
    pdf.add_page()
    return pdf


def _draw(pdf: "FPDF", token: str) -> None:
    left = (WIDTH - qr.MODULES * _MODULE) / 2
    for y, row in enumerate(qr.matrix(token)):
        for first, last in qr.runs(row):
            pdf.rect(left + first * _MODULE, _TOP + y * _MODULE, (last - first) * _MODULE, _MODULE, style="F")


def _write(pdf: "FPDF", top: float, size: float, words: str) -> float:
    """Write centered words; return where they end."""
    pdf.set_font(_FONT, size=size)
    pdf.set_xy(10, top)
    pdf.multi_cell(WIDTH - 20, size * POINT * _LEADING, words, align="C", new_x="LEFT", new_y="NEXT")
    return float(pdf.get_y())
