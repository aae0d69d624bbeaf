#!/usr/bin/env bash
# openpyxl 3.1.5, pandas 3.1.1, python-calamine 0.9.1, xlsxwriter 3.3.1
#
# A day in a workbook that the Chinese Excel shows as 2020年3月19日: by a format of its own (numFmtId 31, 57, 58 …), for
#   which the file has no text, only the number of the format.
# Guess: a library that gives datetimes for cells with days does so for these, since ECMA-376 lists the formats 27 to 36 and
#   50 to 58 for zh-cn (18.8.30); and two readers of one file agree.
# Really: openpyxl, and so pandas by default, knows the built-in formats of English alone and gives the number 43909;
#   python-calamine gives the day. The same format written out in the file is a day for both.
# Why it matters: the last day of a contact is then the text "43909", or a day of 1970 after pandas.to_datetime; and in a
#   workbook whose days begin in 1904 the number alone is four years off. Read numbers in a column of days as days, but
#   only near today.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q openpyxl==3.1.5 pandas==3.1.1 python-calamine==0.9.1 xlsxwriter==3.3.1
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from io import BytesIO

import openpyxl
import pandas
import xlsxwriter
from python_calamine import CalamineWorkbook


def save(number_format):
    content = BytesIO()
    book = xlsxwriter.Workbook(content)
    book.add_worksheet().write_number(0, 0, 43909, book.add_format({"num_format": number_format}))
    book.close()
    return content.getvalue()


def read(content):
    return (
        str(openpyxl.load_workbook(BytesIO(content)).worksheets[0]["A1"].value),
        str(pandas.read_excel(BytesIO(content), header=None).iat[0, 0]),
        str(CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()[0][0]),
    )


seen = {}
for number_format in (14, 27, 31, 36, 50, 57, 58, 'yyyy"年"m"月"d"日"'):
    seen[number_format] = read(save(number_format))
    print(f"format {number_format}: openpyxl {seen[number_format][0]}, pandas {seen[number_format][1]}, "
          f"calamine {seen[number_format][2]}")
day = ("2020-03-19 00:00:00", "2020-03-19 00:00:00", "2020-03-19")
number = ("43909", "43909", "2020-03-19")
assert seen == {
    14: day, 27: number, 31: number, 36: number, 50: number, 57: number, 58: number, 'yyyy"年"m"月"d"日"': day,
}, "changed"
PY
