#!/usr/bin/env bash
# zxing-cpp 3.1.1 and opencv-python-headless 5.0.0.93 (PyPI), @undecaf/zbar-wasm 0.11.0 (npm, ZBar); segno 1.6.6 draws
#
# A text of 360 characters in three QR codes that say which part of three they are (structured append). A card has them
# beside each other, or they are shown one after the other.
# Guess: a reader gives three parts and says of each its number and how many there are, or gives the whole text once.
# Really:
#   zxing-cpp gives the three parts from left to right, and its Python binding says nothing of numbers: each looks like a
#     code of its own. Which is first, and whether one is missing, cannot be known.
#   ZBar gives the whole text if all are in the picture, in any order. Of the first alone it gives the part as if it were
#     a whole code; of the second or third alone, or of these two together, it gives nothing at all.
#   OpenCV's detectAndDecodeMulti gives the whole text as one of three, the two others empty; of a part alone it gives
#     an empty text, for which detectAndDecode of the same class has the part.
# Why it matters: three readers at three gates give a third of a certificate, all of it or nothing for the same card. Where a
#   text does not fit into one code, number the parts inside the text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q zxing-cpp==3.1.1 opencv-python-headless==5.0.0.93 segno==1.6.6
npm install --silent --no-audit --no-fund --prefix "$folder" @undecaf/zbar-wasm@0.11.0 > "$folder/npm.log"
cd "$folder"
cat > zbar.mjs <<'JS'
import fs from 'fs';
import { scanGrayBuffer } from '@undecaf/zbar-wasm';

for (const line of fs.readFileSync('pictures.txt', 'utf8').trim().split('\n')) {
  const [file, width, height] = line.split(' ');
  const { buffer } = new Uint8Array(fs.readFileSync(file));
  const found = await scanGrayBuffer(buffer, Number(width), Number(height));
  console.log(JSON.stringify(found.map((symbol) => symbol.decode())));
}
JS
venv/bin/python - <<'PY'
import json
import subprocess

import cv2
import numpy as np
import segno
import zxingcpp

TEXT = "".join(f"{number:03}-" for number in range(90))
NAMES = {TEXT: "whole", "": "empty"} | {TEXT[120 * i : 120 * (i + 1)]: f"part {i + 1}" for i in range(3)}


def picture(symbol):
    rows = [[0 if dark else 255 for dark in row] for row in symbol.matrix_iter(border=6)]
    return np.kron(np.array(rows, np.uint8), np.ones((6, 6), np.uint8))


first, second, third = (picture(symbol) for symbol in segno.make_sequence(TEXT, symbol_count=3))
CASES = {"1": [first], "2": [second], "2 3": [second, third], "3 1 2": [third, first, second]}
seen = {name: {} for name in ("zxing-cpp", "ZBar", "OpenCV, multi", "OpenCV, one")}
with open("pictures.txt", "w") as list_:
    for case, symbols in CASES.items():
        image = np.hstack(symbols)
        name = case.replace(" ", "_")
        image.tofile(name)
        print(name, image.shape[1], image.shape[0], file=list_)
        codes = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
        assert not any("equence" in key for code in codes for key in [*dir(code), *code.extra]), "changed: parts have numbers"
        seen["zxing-cpp"][case] = [NAMES[code.text] for code in codes]
        aruco = cv2.QRCodeDetectorAruco()
        seen["OpenCV, multi"][case] = sorted(NAMES[text] for text in aruco.detectAndDecodeMulti(image)[1])
        seen["OpenCV, one"][case] = [NAMES[aruco.detectAndDecode(image)[0]]]
lines = subprocess.run(["node", "zbar.mjs"], check=True, capture_output=True, text=True).stdout.splitlines()
for case, line in zip(CASES, lines, strict=True):
    seen["ZBar"][case] = [NAMES[text] for text in json.loads(line)]
for reader, results in seen.items():
    print(f"{reader:14}", *(f"[{case}] {', '.join(found) or 'nothing'};" for case, found in results.items()))
assert seen["zxing-cpp"] == {
    "1": ["part 1"], "2": ["part 2"], "2 3": ["part 2", "part 3"], "3 1 2": ["part 3", "part 1", "part 2"]
}, "changed"
assert seen["ZBar"] == {"1": ["part 1"], "2": [], "2 3": [], "3 1 2": ["whole"]}, "changed"
assert seen["OpenCV, multi"] == {
    "1": ["empty"], "2": ["empty"], "2 3": ["empty", "empty"], "3 1 2": ["empty", "empty", "whole"]
}, "changed"
assert seen["OpenCV, one"]["2"] == ["part 2"], "changed"
PY
