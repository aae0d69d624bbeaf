#!/usr/bin/env bash
# fpdf2 2.8.9 with a Noto Sans for Chinese (npm @embedpdf/fonts-sc 1.0.0), read by pdfminer.six 20260107, pdfplumber 0.11.10,
# pypdf 7.1.1, PyMuPDF 2.0 and pypdfium2 5.15.2
#
# A card or a list as PDF. fpdf2 embeds the letters that are used, of a font as Adobe and Google give out theirs for Chinese,
# Japanese and Korean (OpenType with CFF, keyed by CID). It looks right in every viewer. Then somebody takes the text out.
# Guess: each reader gives what was written: the file has a ToUnicode table with one line for each letter.
# Really: fpdf2 writes a CMap of its own in place of Identity-H, and the readers understand it in four ways, without a warning:
#   pdfium (Chrome, Android) gives what was written.
#   pdfminer.six and pdfplumber give no text at all, as if the page were empty.
#   pypdf puts U+0000 before every letter.
#   MuPDF gives two letters that are one glyph in the font as one, the same in the whole file: the family name 行 becomes
#     the radical ⾏ (U+2F8F) as soon as that is anywhere in it, also on another page.
# Why it matters: an importer finds nothing in a good PDF, a database refuses the U+0000, and a name that is copied out of a
#   list is not equal to the one that was put in. Give machines a CSV; test a PDF with the reader that will read it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q fpdf2==2.8.9 pdfminer.six==20260107 pdfplumber==0.11.10 pypdf==7.1.1 pymupdf==2.0 pypdfium2==5.15.2
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @embedpdf/fonts-sc@1.0.0 > "$folder/npm.log"
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import io

import pdfplumber
import pymupdf
import pypdf
import pypdfium2
from fpdf import FPDF
from pdfminer.high_level import extract_text

NOTO = "node_modules/@embedpdf/fonts-sc/fonts/NotoSansHans-Regular.otf"
NAME, RADICAL = "行小明", "⾏"
READERS = {
    "pdfium": lambda file: pypdfium2.PdfDocument(file)[0].get_textpage().get_text_range(),
    "pdfminer.six": lambda file: extract_text(io.BytesIO(file), page_numbers=[0]).strip("\f"),
    "pdfplumber": lambda file: pdfplumber.open(io.BytesIO(file)).pages[0].extract_text(),
    "pypdf": lambda file: pypdf.PdfReader(io.BytesIO(file)).pages[0].extract_text(),
    "MuPDF": lambda file: pymupdf.open(stream=file)[0].get_text().rstrip(),
}


def first_page(*pages):
    pdf = FPDF()
    pdf.add_font("words", fname=NOTO)
    pdf.set_font("words", size=14)
    for words in pages:
        pdf.add_page()
        pdf.cell(text=words)
    file = bytes(pdf.output())
    return {name: read(file) for name, read in READERS.items()}


alone, beside = first_page(NAME), first_page(NAME, RADICAL)
for name in READERS:
    print(f"{name:13} {alone[name]!a:40} with a second page: {beside[name]!a}")
with_nulls = "".join("\0" + letter for letter in NAME)
assert alone == {"pdfium": NAME, "pdfminer.six": "", "pdfplumber": "", "pypdf": with_nulls, "MuPDF": NAME}, "changed"
assert beside == alone | {"MuPDF": NAME.replace("行", RADICAL)}, "changed"
PY
