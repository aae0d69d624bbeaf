#!/usr/bin/env bash
# python-docx 1.2.0, docx2txt 0.9, mammoth 1.13.0 (PyPI); mammoth 1.13.0, officeparser 7.8.0 (npm); Node
#
# A list of people as a table in Word: a temperature of 36.5 that somebody corrected to 38.5 while changes were tracked, a day that was
# moved; names and days in the fields of a form (content controls); a line and a cell that are one; and a name with its
# pinyin above the first letter (拼音指南), which people do for rare letters.
# Guess: a reader gives what Word shows, with the corrections made; or with the old text beside the new; or it raises.
# Really, without an error, five readers, four answers, and none is that of Word:
#   python-docx gives 3.5 for the temperature: neither 6 nor 8 is there. A moved day is empty, and so is all in fields. The line that is a field
#     is gone; where the first cell of a line is one, the others move to the left. 单小明 is 小明.
#   officeparser has the temperature; the moved day is there twice, old and new in one word; fields are there where they are within
#     a line of text, and gone where they are a paragraph, a cell or a line. 单小明 is 小明.
#   mammoth has all of it, in both languages, but for the letter under the pinyin: 单小明 is 小明, without the family name.
#   docx2txt has the moved day twice, and shàn单小明.
# Why it matters: a fever of 38.5 is the well-formed number 3.5, people are missing from a list that looks complete, and somebody is asked by
#   another's name. Only who opens the file in Word sees it. Let lists come in another format, or show each of them as Word does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q python-docx==1.2.0 docx2txt==0.9 mammoth==1.13.0
npm install --silent --no-audit --no-fund --prefix "$folder" mammoth@1.13.0 officeparser@7.8.0 > "$folder/npm.log"
cd "$folder"
cat > see.py <<'PY'
import zipfile

import docx
import docx2txt
import mammoth

BY = 'w:id="1" w:author="示例" w:date="2020-03-19T00:00:00Z"'


def run(text):
    return f"<w:r><w:t>{text}</w:t></w:r>"


def par(*runs):
    return f"<w:p>{''.join(runs)}</w:p>"


def cell(*paragraphs):
    return f"<w:tc><w:tcPr/>{''.join(paragraphs)}</w:tc>"


def row(*cells):
    return f"<w:tr>{''.join(cells)}</w:tr>"


def field(content):
    return f"<w:sdt><w:sdtPr/><w:sdtContent>{content}</w:sdtContent></w:sdt>"


CORRECTED = par(run("3"), f"<w:del {BY}><w:r><w:delText>6</w:delText></w:r></w:del>", f"<w:ins {BY}>{run('8')}</w:ins>", run(".5"))
MOVED = par(f"<w:moveFrom {BY}>{run('3月1日')}</w:moveFrom>", f"<w:moveTo {BY}>{run('3月21日')}</w:moveTo>")
RUBY = f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('shàn')}</w:rt><w:rubyBase>{run('单')}</w:rubyBase></w:ruby></w:r>"
ROWS = (
    row(cell(par(run("王芳"))), cell(CORRECTED), cell(MOVED)),
    row(cell(par(field(run("李明")))), cell(field(par(run("36.6")))), cell(par(field(run("3月22日"))))),
    row(cell(par(RUBY, run("小明"))), cell(par(run("36.7"))), cell(par(run("3月23日")))),
    field(row(cell(par(run("周强"))), cell(par(run("36.8"))), cell(par(run("3月24日"))))),
    row(field(cell(par(run("吴敏")))), cell(par(run("36.9"))), cell(par(run("3月25日")))),
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
RELATIONS = f'<Relationships xmlns="{PACKAGE}relationships">%s</Relationships>'
TYPE = "application/vnd.openxmlformats-"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}content-types"><Default Extension="rels" ContentType="{TYPE}package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="{TYPE}officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": RELATIONS
    % '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>',
    "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body><w:tbl><w:tblPr/><w:tblGrid><w:gridCol/><w:gridCol/><w:gridCol/></w:tblGrid>{"".join(ROWS)}</w:tbl><w:p/></w:body></w:document>',
    "word/_rels/document.xml.rels": RELATIONS % "",
}
with zipfile.ZipFile("list.docx", "w") as archive:
    for name, xml in PARTS.items():
        archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + xml)

for line in docx.Document("list.docx").tables[0].rows:
    print("python-docx:", [found.text for found in line.cells])
print("docx2txt:", *docx2txt.process("list.docx").split())
with open("list.docx", "rb") as content:
    print("mammoth:", *mammoth.extract_raw_text(content).value.split())
PY
venv/bin/python see.py > seen
cat > see.js <<'JS'
const mammoth = require('mammoth');
const officeparser = require('officeparser');

(async () => {
  const words = (text) => text.trim().split(/\s+/).join(' ');
  console.log('mammoth in JavaScript:', words((await mammoth.extractRawText({ path: 'list.docx' })).value));
  console.log('officeparser:', words((await officeparser.parseOffice('list.docx')).toText()));
})();
JS
node see.js >> seen
cat seen
diff seen - <<'TEXT'
python-docx: ['王芳', '3.5', '']
python-docx: ['', '', '']
python-docx: ['小明', '36.7', '3月23日']
python-docx: ['36.9', '3月25日']
docx2txt: 王芳 38.5 3月1日3月21日 李明 36.6 3月22日 shàn单小明 36.7 3月23日 周强 36.8 3月24日 吴敏 36.9 3月25日
mammoth: 王芳 38.5 3月21日 李明 36.6 3月22日 小明 36.7 3月23日 周强 36.8 3月24日 吴敏 36.9 3月25日
mammoth in JavaScript: 王芳 38.5 3月21日 李明 36.6 3月22日 小明 36.7 3月23日 周强 36.8 3月24日 吴敏 36.9 3月25日
officeparser: 王芳 38.5 3月1日3月21日 李明 3月22日 小明 36.7 3月23日 36.9 3月25日
TEXT
