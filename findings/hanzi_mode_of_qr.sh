#!/usr/bin/env bash
# zxing-cpp 3.1.1, opencv-contrib-python-headless 5.0.0.93 (PyPI); jsqr 1.4.0, @zxing/library 0.21.3, @undecaf/zbar-wasm 0.11.0,
# @nuintun/qrcode 5.0.3, qr 0.7.0 (npm); Node; segno 1.6.6 draws
#
# The QR code of China's own standard, GB/T 18284, has a mode for Chinese letters that ISO's has not: 13 bits for each letter of
# GB2312, so it is the smallest code for a name. Names of two and of three letters in it, large, sharp and straight.
# Guess: a reader knows the mode and gives the name, or does not know it and gives nothing.
# Really:
#   zxing-cpp, @zxing/library and @nuintun/qrcode give the name. ZBar gives nothing; OpenCV's reader and qr raise.
#   WeChatQRCode, WeChat's reader as it was given to OpenCV, reads it, and its binding raises UnicodeDecodeError: what it gives
#     is GB2312.
#   jsqr passes over the mark of a mode that it does not know, and reads on behind it. There are four bits for "GB2312" now, which
#     are the mark of digits. Of names with three letters most are a number of twelve or thirteen digits, each name another
#     one, and the code counts as read; the others, and all of two letters, are nothing.
# Why it matters: a gate shows a number where there was a name, or asks for the person of that number, and nothing says that it
#   was never a number. A test with 王芳 gives nothing, as a good reader might. Write names as bytes in UTF-8, and
#   ask of what was read the form that was written: a prefix, a length, a check.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet segno==1.6.6 zxing-cpp==3.1.1 numpy==2.4.6 \
  opencv-contrib-python-headless==5.0.0.93 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" jsqr@1.4.0 @zxing/library@0.21.3 \
  @undecaf/zbar-wasm@0.11.0 @nuintun/qrcode@5.0.3 qr@0.7.0 > "$folder/npm.log"
cd "$folder"
cat > python.py <<'PY'
"""Draw each name, as rows of pixels for the readers of Node, and read it with those of Python."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy
import segno
import zxingcpp

FAMILY = "王李张刘陈"
GIVEN = "伟芳娜敏静丽强磊军洋"
NAMES = [family + given + third for family in FAMILY for given in GIVEN for third in ("", "明")]
wechat = cv2.wechat_qrcode.WeChatQRCode()
READERS = {
    "zxing-cpp": lambda picture: zxingcpp.read_barcodes(picture)[0].text,
    "opencv": lambda picture: cv2.QRCodeDetector().detectAndDecode(picture)[0],
    "opencv, WeChat's": lambda picture: wechat.detectAndDecode(picture)[0][0],
}
drawn, seen = [], Counter()
for name in NAMES:
    rows = [[0 if dark else 255 for dark in row] for row in segno.make(name, mode="hanzi", micro=False).matrix_iter(border=4)]
    picture = numpy.kron(numpy.array(rows, numpy.uint8), numpy.ones((4, 4), numpy.uint8))
    drawn.append([name, picture.tolist()])
    for reader, read in READERS.items():
        try:
            outcome = "the name" if read(picture) == name else "something else"
        except (cv2.error, UnicodeDecodeError) as error:
            outcome = type(error).__name__
        seen[reader, len(name), outcome] += 1
for (reader, letters, outcome), times in seen.items():
    print(f"{reader}: {letters} letters: {outcome}: {times}")
Path("drawn.json").write_text(json.dumps(drawn))
PY
cat > node.js <<'JS'
const { readFileSync } = require('fs');
const jsqr = require('jsqr');
const zxing = require('@zxing/library');

(async () => {
  const { scanGrayBuffer } = await import('@undecaf/zbar-wasm');
  const { Decoder, Detector, binarize, grayscale } = await import('@nuintun/qrcode');
  const { default: qr } = await import('qr/decode.js');
  const pure = new Map([[zxing.DecodeHintType.PURE_BARCODE, true]]);
  const readers = {
    jsqr: ({ data, size }) => jsqr(data, size, size)?.data,
    '@zxing/library': ({ gray, size }) => new zxing.QRCodeReader().decode(
      new zxing.BinaryBitmap(new zxing.HybridBinarizer(new zxing.RGBLuminanceSource(gray, size, size))), pure).getText(),
    zbar: async ({ gray, size }) => (await scanGrayBuffer(gray.slice().buffer, size, size))[0]?.decode(),
    '@nuintun/qrcode': ({ data, size }) => {
      const matrix = binarize(grayscale({ data, width: size, height: size }), size, size);
      return new Decoder().decode(new Detector().detect(matrix).next().value.matrix).content;
    },
    qr: ({ data, size }) => qr({ data, width: size, height: size }),
  };
  const seen = {};
  const numbers = new Set();
  let first;
  for (const [name, rows] of JSON.parse(readFileSync('drawn.json'))) {
    const gray = Uint8ClampedArray.from(rows.flat());
    const picture = { gray, size: rows.length, data: Uint8ClampedArray.from([...gray].flatMap((light) => [light, light, light, 255])) };
    for (const [reader, read] of Object.entries(readers)) {
      let outcome;
      try {
        const text = await read(picture);
        outcome = !text ? 'nothing' : text === name ? 'the name' : /^\d{12,13}$/.test(text) ? 'a number' : `else: ${text}`;
        if (outcome === 'a number') { first ??= `${name} is ${text}`; numbers.add(text); }
      } catch { outcome = 'an exception'; }
      const key = `${reader}: ${name.length} letters: ${outcome}`;
      seen[key] = (seen[key] ?? 0) + 1;
    }
  }
  for (const [key, times] of Object.entries(seen)) console.log(`${key}: ${times}`);
  console.log(`jsqr: ${first}; different numbers: ${numbers.size}`);
})();
JS
{ venv/bin/python python.py; node node.js; } 2> noise | tee seen || { cat noise; exit 1; }
diff seen - <<'TEXT'
zxing-cpp: 2 letters: the name: 50
opencv: 2 letters: error: 50
opencv, WeChat's: 2 letters: UnicodeDecodeError: 50
zxing-cpp: 3 letters: the name: 50
opencv: 3 letters: error: 50
opencv, WeChat's: 3 letters: UnicodeDecodeError: 50
jsqr: 2 letters: nothing: 50
@zxing/library: 2 letters: the name: 50
zbar: 2 letters: nothing: 50
@nuintun/qrcode: 2 letters: the name: 50
qr: 2 letters: an exception: 50
jsqr: 3 letters: a number: 40
@zxing/library: 3 letters: the name: 50
zbar: 3 letters: nothing: 50
@nuintun/qrcode: 3 letters: the name: 50
qr: 3 letters: an exception: 50
jsqr: 3 letters: nothing: 10
jsqr: 王伟明 is 8902409824320; different numbers: 40
TEXT
