"""Empty lists to fill in: CSV, or a workbook whose cells are text, so that a spreadsheet changes no number or day."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.core.texts import text
from app.entries.content import DIAGNOSIS_KINDS, EntryKind
from app.entries.lists import words

ALL_COLUMNS: Final = (
    "document_number", "document_type", "kind", "exposed_on", "first_day", "last_day", "authority", "reference",
)  # fmt: skip
_WIDTH: Final = 24
_TEXT: Final = "@"  # the format of cells whose content stays as it is typed
_CHOICES: Final = {
    "document_type": ("document-types", tuple(words.names("document-types"))),
    "kind": ("kinds", tuple(kind.value for kind in EntryKind if kind not in DIAGNOSIS_KINDS)),
}


def make_text(columns: Sequence[str], language: str) -> bytes:
    """Return the headings as CSV, with the byte order mark that Excel needs."""
    return (",".join(_headings(columns, language)) + "\r\n").encode("utf-8-sig")


def make_workbook(columns: Sequence[str], language: str) -> bytes:
    """Return a workbook with the headings, what can be chosen, and a sheet that says how to fill it in."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = text("list-template", "sheet", language)
    sheet.append(_headings(columns, language))
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = _WIDTH
        sheet.column_dimensions[letter].number_format = _TEXT
        sheet[f"{letter}1"].font = Font(bold=True)
        if column in _CHOICES:
            sheet.add_data_validation(_choice_of(letter, *_CHOICES[column], language=language))
    how = book.create_sheet(text("list-template", "how", language))
    for slug in ("numbers", "days", "others"):
        how.append([text("list-template", slug, language)])
    how.column_dimensions["A"].width = 4 * _WIDTH
    for row in how.iter_rows():
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _headings(columns: Sequence[str], language: str) -> list[str]:
    return [words.choose_word("columns", column, language) for column in columns]


def _choice_of(letter: str, section: str, names: Sequence[str], *, language: str) -> DataValidation:
    choices = ",".join(words.choose_word(section, name, language) for name in names)
    choice = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=True)
    choice.add(f"{letter}2:{letter}1048576")
    return choice
