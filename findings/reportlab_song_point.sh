#!/usr/bin/env bash
# reportlab 5.1.0, shown by PyMuPDF 2.0 and pypdfium2 5.15.2
#
# reportlab prints Chinese without a font file: UnicodeCIDFont("STSong-Light") names a font that each viewer has or replaces.
# Guess: a name looks alike in all viewers, or a letter that the font lacks is a box in all of them.
# Really: the codes go through the table UniGB-UCS2-H of 1998, whatever fonts a viewer has, and each does otherwise with what
#   is not in it:
#   The point in 阿依·古丽 (U+00B7, as GB/T 15834 and the registers write it) is gone in MuPDF. pdfium shows it. With the point
#     of Japanese (U+30FB) both show one.
#   A letter beyond U+FFFF is sent as two codes that the table does not know. In MuPDF it takes the two letters after it along,
#     so nothing is left of 𠮷小明; in pdfium only itself is missing, with room for two. reportlab says nothing, and gives the name the width of
#     all of its letters.
# Why it matters: what was looked at in Chrome is printed with other names elsewhere: without the point two names are one, and
#   somebody has none at all. Embed a font file, and look at a print of these two names in more than one viewer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q reportlab==5.1.0 pymupdf==2.0 pypdfium2==5.15.2 numpy==2.4.6 pillow==13.0.0
"$folder/venv/bin/python" - <<'PY'
import io

import numpy as np
import pymupdf
import pypdfium2
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

SIZE = 14
pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))


def write(name):
    file = io.BytesIO()
    page = canvas.Canvas(file, pagesize=(8 * SIZE, 2 * SIZE))
    page.setFont("STSong-Light", SIZE)
    page.drawString(SIZE, SIZE / 2, name)
    page.save()
    return file.getvalue()


def by_mupdf(file):
    picture = pymupdf.open(stream=file)[0].get_pixmap(dpi=144, colorspace="gray", alpha=False)
    return np.frombuffer(picture.samples, np.uint8).reshape(picture.height, picture.stride)[:, : picture.width]


def by_pdfium(file):
    return np.asarray(pypdfium2.PdfDocument(file)[0].render(scale=2).to_pil().convert("L"))


def inked(picture):
    """Return which places of one letter's width have ink, from the place where the name begins."""
    places = [picture[:, 2 * SIZE * n : 2 * SIZE * (n + 1)].min() < 128 for n in range(1, 7)]
    return "".join("#" if ink else "." for ink in places)


seen = {}
for name in ("阿依·古丽", "阿依・古丽", "𠮷小明", "小明"):
    seen[name] = {"MuPDF": inked(by_mupdf(write(name))), "pdfium": inked(by_pdfium(write(name)))}
    print(name, seen[name], "width in letters:", pdfmetrics.stringWidth(name, "STSong-Light", SIZE) / SIZE)
assert seen == {
    "阿依·古丽": {"MuPDF": "####..", "pdfium": "#####."},
    "阿依・古丽": {"MuPDF": "#####.", "pdfium": "#####."},
    "𠮷小明": {"MuPDF": "......", "pdfium": "..##.."},
    "小明": {"MuPDF": "##....", "pdfium": "##...."},
}, "changed"
PY
