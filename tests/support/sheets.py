"""Lists as spreadsheets save them: workbooks of real libraries, and bytes as Excel and WPS write text files."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import openpyxl
import xlsxwriter

from tests.support.people import id_number

Rows = Sequence[Sequence[Any]]
ONE, OTHER = id_number(801), id_number(802)
DAY, EARLIER = date(2020, 3, 19), date(2020, 3, 7)
PLAIN: Rows = [("证件号码", "最后接触日期"), (ONE, "2020-03-19"), (OTHER, "2020-03-07")]


def xlsx(rows: Rows, options: dict[str, Any] | None = None, first: tuple[int, int] = (0, 0)) -> bytes:
    """A workbook of xlsxwriter with these rows, beginning at a row and column; a pair is a formula and its value."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"default_date_format": "yyyy/m/d", **(options or {})})
    sheet = book.add_worksheet("名单")
    for place, row in enumerate(rows, first[0]):
        for column, cell in enumerate(row, first[1]):
            if isinstance(cell, tuple):
                sheet.write_formula(place, column, cell[0], None, cell[1])
            else:
                sheet.write(place, column, cell)
    book.close()
    return content.getvalue()


def by_openpyxl(*sheets: Rows) -> bytes:
    """A workbook of openpyxl with a sheet for each of these."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(list(row))
    book.save(content)
    return content.getvalue()


def filled_in(template: bytes, rows: Rows) -> bytes:
    """A template with rows below its headings."""
    book, content = openpyxl.load_workbook(io.BytesIO(template)), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(list(row))
    book.save(content)
    return content.getvalue()


def edited(content: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """A workbook in which one part was written by another program."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, edit(old.read(info)) if info.filename == part else old.read(info))
    return output.getvalue()


def strict(content: bytes) -> bytes:
    """A workbook as Excel saves it as "Strict Open XML": other names, and days as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = book.namelist()
    for part in parts:
        content = edited(content, part, _as_strict)
    return content


def _as_strict(part: bytes) -> bytes:
    for old, new in (
        (b"schemas.openxmlformats.org/spreadsheetml/2006/main", b"purl.oclc.org/ooxml/spreadsheetml/main"),
        (b"schemas.openxmlformats.org/officeDocument/2006", b"purl.oclc.org/ooxml/officeDocument"),
        (b' s="1"><v>43909</v>', b' s="1" t="d"><v>2020-03-19T00:00:00</v>'),
        (b' s="1"><v>43897</v>', b' s="1" t="d"><v>2020-03-07</v>'),
    ):
        part = part.replace(old, new)
    return part


def with_size(content: bytes, size: str) -> bytes:
    """A workbook that claims to have cells in this range only."""
    claim = f'<dimension ref="{size}"'.encode()
    return edited(content, SHEET, lambda part: re.sub(rb'<dimension ref="[^"]*"', claim, part))


def with_more(content: bytes, rows: bytes) -> bytes:
    """A workbook whose sheet ends with these rows."""
    return edited(content, SHEET, lambda part: part.replace(b"</sheetData>", rows + b"</sheetData>"))


def with_declared_size(content: bytes, size: int) -> bytes:
    """A workbook whose sheet, as its zip declares, has so many bytes once unpacked."""
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(SHEET.encode()))
    return content[: entry + 24] + size.to_bytes(4, "little") + content[entry + 28 :]


def text(rows: Rows, delimiter: str = ",", end: str = "\r\n", quoting: Any = csv.QUOTE_MINIMAL) -> str:
    """Rows as Excel and WPS write a text file."""
    output = io.StringIO(newline="")
    csv.writer(output, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return output.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
