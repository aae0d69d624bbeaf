#!/usr/bin/env bash
# polars 2.1.0 with fastexcel 0.21.0 (python-calamine's engine), openpyxl 3.1.5 and xlsx2csv 0.8.6; xlsxwriter 3.3.1 (PyPI)
#
# A list of contacts with two columns, their phone and the last day. 150 lines are as a spreadsheet makes them, numbers and days; in
# the last three somebody has typed text: 0431-85550000 with 2020年3月20日, and two mobile numbers with 2020-03-20.
# Guess: polars.read_excel gives 153 rows. A column whose later cells are of another kind is text, as in pandas, or an error that
#   names `infer_schema_length`, as polars.read_csv raises.
# Really: 152 rows, without a word. What does not fit the kind of the first hundred becomes null; of the first of the three nothing is
#   left, and a row of nulls is taken for an empty one and dropped. The two others are there without their day, though
#   2020-03-20 is one. With a third column, of names, all 153 are there. The engines openpyxl and xlsx2csv raise.
# Why it matters: who has a landline, a passport or a handwritten day is not called, and the number of rows looks like the number of
#   people. Below a hundred lines, as in every test, all is right. Read every cell as text (infer_schema_length=0).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q polars==2.1.0 fastexcel==0.21.0 openpyxl==3.1.5 xlsx2csv==0.8.6 xlsxwriter==3.3.1
cd "$folder"
cat > see.py <<'PY'
import polars
import xlsxwriter

NUMBERS = [(13800000000 + number, 43909) for number in range(150)]
TYPED = [("0431-85550000", "2020年3月20日"), ("13900000001", "2020-03-20"), ("13900000002", "2020-03-20")]


def write(rows, names=False):
    with xlsxwriter.Workbook("list.xlsx") as book:
        day = book.add_format({"num_format": "yyyy/m/d"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["phone", "day", *["name"] * names])
        for place, (phone, last) in enumerate(rows, 1):
            sheet.write(place, 0, phone)
            sheet.write(place, 1, last, day)
            if names:
                sheet.write(place, 2, "示例")


def read(**options):
    try:
        table = polars.read_excel("list.xlsx", **options)
    except Exception as error:
        return type(error).__name__
    return f"{table.height} rows, {list(map(str, table.dtypes))}, {[[str(cell) for cell in row] for row in table.tail(3).rows()]}"


write(NUMBERS[:20] + TYPED)
print("20 and 3:", read())
write(NUMBERS + TYPED)
for options in ({}, {"engine": "openpyxl"}, {"engine": "xlsx2csv"}, {"infer_schema_length": 0}, {"infer_schema_length": None}):
    print("150 and 3", options, read(**options))
print("150 and 3, as text", read(schema_overrides={"phone": polars.String, "day": polars.String}))
write(NUMBERS + TYPED, names=True)
print("with names", read())
PY
venv/bin/python -W ignore see.py | tee seen
diff seen - <<'TEXT'
20 and 3: 23 rows, ['String', 'String'], [['0431-85550000', '2020年3月20日'], ['13900000001', '2020-03-20'], ['13900000002', '2020-03-20']]
150 and 3 {} 152 rows, ['Int64', 'Date'], [['13800000149', '2020-03-19'], ['13900000001', 'None'], ['13900000002', 'None']]
150 and 3 {'engine': 'openpyxl'} ComputeError
150 and 3 {'engine': 'xlsx2csv'} ComputeError
150 and 3 {'infer_schema_length': 0} 153 rows, ['String', 'String'], [['0431-85550000', '2020年3月20日'], ['13900000001', '2020-03-20'], ['13900000002', '2020-03-20']]
150 and 3 {'infer_schema_length': None} 153 rows, ['String', 'String'], [['0431-85550000', '2020年3月20日'], ['13900000001', '2020-03-20'], ['13900000002', '2020-03-20']]
150 and 3, as text 153 rows, ['String', 'String'], [['0431-85550000', '2020年3月20日'], ['13900000001', '2020-03-20'], ['13900000002', '2020-03-20']]
with names 153 rows, ['Int64', 'Date', 'String'], [['None', 'None', '示例'], ['13900000001', 'None', '示例'], ['13900000002', 'None', '示例']]
TEXT
