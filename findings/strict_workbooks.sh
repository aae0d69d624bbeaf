#!/usr/bin/env bash
# openpyxl 3.1.5, python-calamine 0.9.1 (PyPI); exceljs 4.4.0, xlsx-populate 1.21.0, read-excel-file 9.3.17, @e965/xlsx 0.20.3 (npm); Node
#
# A list that Excel has saved as "Strict Open XML Spreadsheet (*.xlsx)", which is the standard's own form (ISO/IEC 29500-1): its names
# are others, and a day may be written as one, <c t="d"><v>2020-03-19</v>, and not as the number of days since 1900.
# Guess: it has been in Excel since 2013 and ends in .xlsx, so it is read as the other form, or refused as one that is not known.
# Really, without an error:
#   openpyxl opens it as a workbook without any sheet, visible or hidden. The same days in the common form it reads.
#   exceljs reads all, and each day as 12 July 1905: it takes the year 2020 at its beginning for a number of days.
#   xlsx-populate gives the names, and nothing for a day. exceljs and it do so with days as text in the common form too.
#   read-excel-file has a day with a time, 2020-03-19T00:00:00, on the computer's own clock, and one without on that of Greenwich:
#     in China the first is eight hours before the second, and read by UTC, as all its other days are to be read, it is the 18th.
#   python-calamine and SheetJS read it right.
# Why it matters: a good list of contacts is empty, or its last days of contact are of 1905, so that no quarantine follows
#   from them. Replace the names before openpyxl sees them, and do not believe a day far from today.
set -euo pipefail
export TZ=Asia/Shanghai
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q openpyxl==3.1.5 python-calamine==0.9.1
npm install --silent --no-audit --no-fund --prefix "$folder" exceljs@4.4.0 xlsx-populate@1.21.0 read-excel-file@9.3.17 \
  @e965/xlsx@0.20.3 > "$folder/npm.log"
cd "$folder"
cat > see.py <<'PY'
import zipfile

import openpyxl
from python_calamine import CalamineWorkbook

PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."
SHEET = '<row r="1"><c r="A1" t="inlineStr"><is><t>王芳</t></is></c><c r="B1" s="1" t="d"><v>{}</v></c><c r="C1" s="1" t="d"><v>{}</v></c></row>'
STYLES = "".join(
    (
        '<fonts count="1"><font><sz val="11"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills>',
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>',
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>',
    )
)


def write(path, main, relations):
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{TYPE}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="{TYPE}styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}relationships"><Relationship Id="rId1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="名单" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}relationships"><Relationship Id="rId1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{relations}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{STYLES}</styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{SHEET.format("2020-03-19T00:00:00", "2020-03-19")}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, xml in parts.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + xml)


COMMON = "http://schemas.openxmlformats.org/"
write("common.xlsx", COMMON + "spreadsheetml/2006/main", COMMON + "officeDocument/2006/relationships")
write("strict.xlsx", "http://purl.oclc.org/ooxml/spreadsheetml/main", "http://purl.oclc.org/ooxml/officeDocument/relationships")
for form in ("common", "strict"):
    sheets = openpyxl.load_workbook(f"{form}.xlsx").worksheets
    print(form, "openpyxl:", [[str(cell) for cell in row] for sheet in sheets for row in sheet.values])
    rows = CalamineWorkbook.from_path(f"{form}.xlsx").get_sheet_by_index(0).to_python()
    print(form, "calamine:", [[str(cell) for cell in row] for row in rows])
PY
venv/bin/python -W ignore see.py > seen
cat > see.js <<'JS'
const { readSheet } = require('read-excel-file/node');
const ExcelJS = require('exceljs');
const XlsxPopulate = require('xlsx-populate');
const SheetJS = require('@e965/xlsx');

(async () => {
  for (const form of ['common', 'strict']) {
    const file = `${form}.xlsx`;
    const book = new ExcelJS.Workbook();
    await book.xlsx.readFile(file);
    const say = (name, row) => console.log(form, `${name}:`, JSON.stringify(row));
    say('exceljs', book.worksheets[0].getRow(1).values.slice(1));
    say('xlsx-populate', (await XlsxPopulate.fromFileAsync(file)).sheet(0).usedRange().value()[0]);
    say('read-excel-file', (await readSheet(file))[0]);
    const { Sheets, SheetNames } = SheetJS.readFile(file);
    say('SheetJS', SheetJS.utils.sheet_to_json(Sheets[SheetNames[0]], { header: 1, raw: false, dateNF: 'yyyy-mm-dd' })[0]);
  }
})();
JS
node see.js >> seen
cat seen
diff seen - <<'TEXT'
common openpyxl: [['王芳', '2020-03-19 00:00:00', '2020-03-19']]
common calamine: [['王芳', '2020-03-19 00:00:00', '2020-03-19']]
strict openpyxl: []
strict calamine: [['王芳', '2020-03-19 00:00:00', '2020-03-19']]
common exceljs: ["王芳","1905-07-12T00:00:00.000Z","1905-07-12T00:00:00.000Z"]
common xlsx-populate: ["王芳",null,null]
common read-excel-file: ["王芳","2020-03-18T16:00:00.000Z","2020-03-19T00:00:00.000Z"]
common SheetJS: ["王芳","3/19/20","3/19/20"]
strict exceljs: ["王芳","1905-07-12T00:00:00.000Z","1905-07-12T00:00:00.000Z"]
strict xlsx-populate: ["王芳",null,null]
strict read-excel-file: ["王芳","2020-03-18T16:00:00.000Z","2020-03-19T00:00:00.000Z"]
strict SheetJS: ["王芳","3/19/20","3/19/20"]
TEXT
