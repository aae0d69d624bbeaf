"""Words of any length in a place of a printed page: smaller where they are many, and cut where they never fit."""

from typing import TYPE_CHECKING, Final, NamedTuple, cast

if TYPE_CHECKING:
    from fpdf import FPDF

POINT: Final = 25.4 / 72  # millimetres
_SMALLEST, _STEP = 6.0, 0.5  # points: smaller is not read


class Room(NamedTuple):
    """The width and the height that words may take, in millimetres; a line is `leading` times its size high."""

    width: float
    height: float
    leading: float


def fit(pdf: "FPDF", font: str, words: str, size: float, room: Room) -> tuple[str, float]:
    """Return words and the size at which they fit into a place: many get a smaller one, and at last fewer words."""
    while size > _SMALLEST and not _fits(pdf, font, words, size, room):
        size -= _STEP
    while len(words) > 1 and not _fits(pdf, font, words, size, room):
        words = f"{words[:-2]}…"
    return words, size


def _fits(pdf: "FPDF", font: str, words: str, size: float, room: Room) -> bool:
    from fpdf.enums import MethodReturnValue

    pdf.set_font(font, size=size)
    line = size * POINT * room.leading
    taken = cast(float, pdf.multi_cell(room.width, line, words, dry_run=True, output=MethodReturnValue.HEIGHT))
    return taken <= room.height
