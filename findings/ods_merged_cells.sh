#!/usr/bin/env bash
# pyexcel-ods 0.6.0, pyexcel-ods3 0.6.1; python-calamine 0.9.1 (PyPI), which polars and pandas read with; @e965/xlsx 0.20.3 (npm); Node
#
# A list in OpenDocument (.ods, as LibreOffice and WPS save it): the street is one cell over its three people; three temperatures of
# one person that are the same, which the format keeps as one line with "repeated 3 times"; a name with its pinyin above.
# Guess: below the first line of a merged cell there is an empty cell in its place, as in .xlsx; a line that is there three times is
#   read three times; and pinyin is no part of the name, as in .xlsx, where python-calamine and SheetJS leave it out.
# Really:
#   pyexcel-ods leaves the covered cells out, so that the second and the third person's name is their street, and
#     their temperature is their name; and the repeated line is there once. Empty cells that are repeated it counts well.
#   pyexcel-ods3, of the same hands, reads these right, and of 单小明 it leaves 小明. Where both are installed, get_data of each gives
#     what one of them reads.
#   python-calamine and SheetJS have the pinyin in the name, as pyexcel-ods has: 单shàn小明. Nobody has the name.
# Why it matters: everything is text, so nothing is refused: a column is believed by its heading. A count of temperatures or of
#   boxes of masks is too low by those that are alike. And the name with a letter that others cannot read is nobody's name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pyexcel-ods==0.6.0 python-calamine==0.9.1
python3 -m venv "$folder/other"
"$folder/other/bin/pip" install -q pyexcel-ods3==0.6.1
npm install --silent --no-audit --no-fund --prefix "$folder" @e965/xlsx@0.20.3 > "$folder/npm.log"
cd "$folder"
cat > see.py <<'PY'
import zipfile

import pyexcel_ods
from python_calamine import CalamineWorkbook

OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
NAMES = " ".join(f'xmlns:{name}="{OASIS}{name}:1.0"' for name in ("office", "table", "text"))


def row(*cells, more=""):
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


def cell(text, more=""):
    return f'<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'


MERGED = ' table:number-columns-spanned="1" table:number-rows-spanned="3"'
COVERED = "<table:covered-table-cell/>"
PINYIN = "<text:ruby><text:ruby-base>单</text:ruby-base><text:ruby-text>shàn</text:ruby-text></text:ruby>小明"
ROWS = (
    row(cell("街道"), cell("姓名"), cell("体温")),
    row(cell("示例街道", MERGED), cell("王芳"), cell("36.5")),
    row(COVERED, cell("李明"), cell("36.6")),
    row(COVERED, cell("赵红"), cell("36.7")),
    row(cell("另一街道"), cell("孙丽"), cell("36.8"), more=' table:number-rows-repeated="3"'),
    row('<table:table-cell table:number-columns-repeated="1"/>', cell(PINYIN), cell("36.9")),
)
MANIFEST = f'<manifest:manifest xmlns:manifest="{OASIS}manifest:1.0" manifest:version="1.3">%s</manifest:manifest>'
FILE = '<manifest:file-entry manifest:full-path="{}" manifest:media-type="{}"/>'
KIND = "application/vnd.oasis.opendocument.spreadsheet"
with zipfile.ZipFile("list.ods", "w") as archive:
    archive.writestr("mimetype", KIND)
    archive.writestr(
        "content.xml",
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMES} office:version="1.3"><office:body><office:spreadsheet>'
        f'<table:table table:name="名单"><table:table-column table:number-columns-repeated="3"/>{"".join(ROWS)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>",
    )
    archive.writestr("styles.xml", f'<?xml version="1.0" encoding="UTF-8"?><office:document-styles {NAMES} office:version="1.3"/>')
    files = (("/", KIND), ("content.xml", "text/xml"), ("styles.xml", "text/xml"))
    archive.writestr("META-INF/manifest.xml", MANIFEST % "".join(FILE.format(*file) for file in files))


def say(name, rows):
    print(f"{name}:", " | ".join(" ".join(map(str, line)) for line in rows))


say("pyexcel-ods", [[text or "-" for text in line] for line in pyexcel_ods.get_data("list.ods")["名单"][1:]])
say("calamine", [[text or "-" for text in line] for line in CalamineWorkbook.from_path("list.ods").get_sheet_by_index(0).to_python()[1:]])
PY
venv/bin/python -W ignore see.py > seen
other/bin/python - >> seen <<'PY'
import pyexcel_ods3

rows = pyexcel_ods3.get_data("list.ods")["名单"][1:]
print("pyexcel-ods3:", " | ".join(" ".join(text or "-" for text in line) for line in rows))
PY
cat > see.js <<'JS'
const SheetJS = require('@e965/xlsx');

const { Sheets, SheetNames } = SheetJS.readFile('list.ods');
const rows = SheetJS.utils.sheet_to_json(Sheets[SheetNames[0]], { header: 1, defval: '-' }).slice(1);
console.log('SheetJS:', rows.map((row) => row.join(' ')).join(' | '));
JS
node see.js >> seen
cat seen
diff seen - <<'TEXT'
pyexcel-ods: 示例街道 王芳 36.5 | 李明 36.6 | 赵红 36.7 | 另一街道 孙丽 36.8 | - 单shàn小明 36.9
calamine: 示例街道 王芳 36.5 | - 李明 36.6 | - 赵红 36.7 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | - 单shàn小明 36.9
pyexcel-ods3: 示例街道 王芳 36.5 | - 李明 36.6 | - 赵红 36.7 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | - 小明 36.9
SheetJS: 示例街道 王芳 36.5 | - 李明 36.6 | - 赵红 36.7 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | 另一街道 孙丽 36.8 | - 单shàn小明 36.9
TEXT
