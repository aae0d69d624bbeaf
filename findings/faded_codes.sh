#!/usr/bin/env bash
# zxing-cpp 3.1.1, opencv-python-headless 5.0.0.93 (PyPI); jsqr 1.4.0, @zxing/library 0.21.3, @nuintun/qrcode 5.0.3, qr 0.7.0,
# @undecaf/zbar-wasm 0.11.0 (npm); Node; segno 1.6.6 draws
#
# A QR code on thermal paper that has faded, or on a phone in the sun, where glare lies on the dark parts as on the light ones.
# Drawn sharp and straight, without noise, in two even grays: white is 255, and dark is 40, 55, 65 or 75 in a hundred of it.
# Guess: a reader looks for a threshold between the two, so it reads any contrast that an eye sees; and a larger one is read better.
# Really: zxing-cpp, ZBar and OpenCV read every one. The readers in JavaScript have a floor:
#   jsqr reads all at 40 and none at 55, at any size. @zxing/library and @nuintun/qrcode do so with eight pixels a module; with
#     four they go on to 55 and 65. qr reads all at 65 and none at 75.
#   An even piece of the picture is light to them unless what is beside it is about twice as light; and the larger the code,
#     the more even pieces there are.
# Why it matters: a page that scans with a camera refuses a slip of last week or a phone at noon, and nothing helps who holds
#   it nearer. In the office every code is read. Stretch the contrast of the picture before it is read, with which
#   all read the codes of 75 (last column), or use ZBar or zxing-cpp as WebAssembly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet segno==1.6.6 zxing-cpp==3.1.1 numpy==2.4.6 opencv-python-headless==5.0.0.93 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" jsqr@1.4.0 @zxing/library@0.21.3 \
  @undecaf/zbar-wasm@0.11.0 @nuintun/qrcode@5.0.3 qr@0.7.0 > "$folder/npm.log"
cd "$folder"
cat > python.py <<'PY'
"""Draw ten codes, for Node as well, and read them with the readers of Python; print how many are read by darkness."""

import json
import sys
from pathlib import Path

import cv2
import numpy
import segno
import zxingcpp

DARK = [int(share) for share in sys.argv[1:]]
TEXTS = [f"JX1.{number:03}aZ3_{'qR8-' * 10}" for number in range(10)]
READERS = {
    "zxing-cpp": lambda picture: [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)],
    "opencv": lambda picture: [cv2.QRCodeDetector().detectAndDecode(picture)[0]],
}
codes = [(text, [[int(dark) for dark in row] for row in segno.make(text, error="m").matrix_iter(border=4)]) for text in TEXTS]
Path("codes.json").write_text(json.dumps(codes))
for name, read in READERS.items():
    for pixels in (4, 8):
        seen = dict.fromkeys(DARK, 0)
        for text, rows in codes:
            for share in DARK:
                gray = numpy.where(numpy.array(rows, bool), 255 * share // 100, 255).astype(numpy.uint8)
                seen[share] += read(numpy.kron(gray, numpy.ones((pixels, pixels), numpy.uint8))) == [text]
        print(f"{name}, {pixels} pixels a module:", *(f"{share}%: {times}" for share, times in seen.items()))
PY
cat > node.js <<'JS'
const { readFileSync } = require('fs');
const jsqr = require('jsqr');
const zxing = require('@zxing/library');

const WHITE = 255;
const pure = new Map([[zxing.DecodeHintType.PURE_BARCODE, true]]);

function draw(rows, pixels, share) {
  const size = rows.length * pixels;
  const gray = new Uint8ClampedArray(size * size);
  const data = new Uint8ClampedArray(size * size * 4);
  for (let at = 0; at < size * size; at += 1) {
    const isDark = rows[Math.floor(at / size / pixels)][Math.floor((at % size) / pixels)];
    gray[at] = isDark ? Math.floor((WHITE * share) / 100) : WHITE;
    data.set([gray[at], gray[at], gray[at], 255], at * 4);
  }
  return { gray, data, size };
}

function stretch({ gray, size }) {
  const dark = Math.min(...gray);
  const light = Math.max(...gray);
  const stretched = gray.map((value) => (WHITE * (value - dark)) / (light - dark));
  return { gray: stretched, data: Uint8ClampedArray.from([...stretched].flatMap((value) => [value, value, value, 255])), size };
}

(async () => {
  const { scanGrayBuffer } = await import('@undecaf/zbar-wasm');
  const { Decoder, Detector, binarize, grayscale } = await import('@nuintun/qrcode');
  const { default: qr } = await import('qr/decode.js');
  const readers = {
    zbar: async ({ gray, size }) => (await scanGrayBuffer(gray.slice().buffer, size, size))[0]?.decode(),
    jsqr: ({ data, size }) => jsqr(data, size, size)?.data,
    '@zxing/library': ({ gray, size }) => new zxing.QRCodeReader().decode(
      new zxing.BinaryBitmap(new zxing.HybridBinarizer(new zxing.RGBLuminanceSource(gray, size, size))), pure).getText(),
    '@nuintun/qrcode': ({ data, size }) => {
      const matrix = binarize(grayscale({ data, width: size, height: size }), size, size);
      return new Decoder().decode(new Detector().detect(matrix).next().value.matrix).content;
    },
    qr: ({ data, size }) => qr({ data, width: size, height: size }),
  };
  const codes = JSON.parse(readFileSync('codes.json'));
  for (const [name, read] of Object.entries(readers)) {
    for (const pixels of [4, 8]) {
      const count = async (picture) => {
        let times = 0;
        for (const [text, rows] of codes) {
          try { times += Number(await read(picture(rows)) === text); } catch { /* not read */ }
        }
        return times;
      };
      const seen = [];
      const shares = process.argv.slice(2).map(Number);
      for (const share of shares) seen.push(`${share}%: ${await count((rows) => draw(rows, pixels, share))}`);
      const last = await count((rows) => stretch(draw(rows, pixels, shares.at(-1))));
      console.log(`${name}, ${pixels} pixels a module:`, ...seen, `stretched: ${last}`);
    }
  }
})();
JS
{ venv/bin/python python.py 40 55 65 75; node node.js 40 55 65 75; } 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
zxing-cpp, 4 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10
zxing-cpp, 8 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10
opencv, 4 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10
opencv, 8 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10
zbar, 4 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10 stretched: 10
zbar, 8 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 10 stretched: 10
jsqr, 4 pixels a module: 40%: 10 55%: 0 65%: 0 75%: 0 stretched: 10
jsqr, 8 pixels a module: 40%: 10 55%: 0 65%: 0 75%: 0 stretched: 10
@zxing/library, 4 pixels a module: 40%: 10 55%: 10 65%: 0 75%: 0 stretched: 10
@zxing/library, 8 pixels a module: 40%: 10 55%: 0 65%: 0 75%: 0 stretched: 10
@nuintun/qrcode, 4 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 0 stretched: 10
@nuintun/qrcode, 8 pixels a module: 40%: 10 55%: 0 65%: 0 75%: 0 stretched: 10
qr, 4 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 0 stretched: 10
qr, 8 pixels a module: 40%: 10 55%: 10 65%: 10 75%: 0 stretched: 10
TEXT
