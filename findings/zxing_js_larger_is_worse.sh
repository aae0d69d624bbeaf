#!/usr/bin/env bash
# @zxing/library 0.21.3, jsqr 1.4.0, qrcode 1.5.4 (npm); Node
#
# QR codes as drawn (straight, sharp, black on white, four modules of quiet zone) are read in a browser or in Node by the
# JavaScript port of ZXing. No camera is in it.
# Guess: every one is read; if any is not, a larger picture or the hint TRY_HARDER helps.
# Really: the larger, the fewer: of 200 codes of version 8-M it fails on 4 at three pixels a module, on 5 at four and on
#   17 at eight. TRY_HARDER and the other binarizer change nothing, PURE_BARCODE reads all of them, and so
#   does jsqr without any hint. The exceptions are of three kinds, so it looks like damaged codes.
# Why it matters: whoever enlarges the picture for safety, or whose phone has a finer screen, has more codes that are
#   "not valid". Try PURE_BARCODE first where the picture is drawn and not photographed, and then without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" @zxing/library@0.21.3 jsqr@1.4.0 qrcode@1.5.4 > "$folder/npm.log"
cd "$folder"
cat > read.js <<'JS'
const crypto = require('crypto');
const qrcode = require('qrcode');
const jsqr = require('jsqr');
const zxing = require('@zxing/library');

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const QUIET = 4;
const { DecodeHintType: Hint } = zxing;
const CONFIGURATIONS = {
  'no hint': [zxing.HybridBinarizer, null],
  'other binarizer': [zxing.GlobalHistogramBinarizer, null],
  TRY_HARDER: [zxing.HybridBinarizer, new Map([[Hint.TRY_HARDER, true]])],
  PURE_BARCODE: [zxing.HybridBinarizer, new Map([[Hint.PURE_BARCODE, true]])],
};

function token(number) {
  const bytes = crypto.createHash('shake128', { outputLength: 213 }).update(String(number)).digest();
  return Array.from(bytes, (byte) => LETTERS[byte % 45]).join('');
}

function draw(text, pixels) {
  const { size, data } = qrcode.create(text, { errorCorrectionLevel: 'M' }).modules;
  const width = (size + 2 * QUIET) * pixels;
  const gray = new Uint8ClampedArray(width * width).fill(255);
  gray.forEach((_, place) => {
    const x = Math.floor((place % width) / pixels) - QUIET;
    const y = Math.floor(place / width / pixels) - QUIET;
    if (x >= 0 && y >= 0 && x < size && y < size && data[y * size + x]) gray[place] = 0;
  });
  return { gray, width };
}

function byZxing({ gray, width }, [Binarizer, hints]) {
  const source = new zxing.RGBLuminanceSource(gray, width, width);
  try {
    return new zxing.QRCodeReader().decode(new zxing.BinaryBitmap(new Binarizer(source)), hints).getText();
  } catch (error) {
    return error;
  }
}

function byJsqr({ gray, width }) {
  const colors = new Uint8ClampedArray(4 * gray.length).fill(255);
  gray.forEach((value, place) => colors.fill(value, 4 * place, 4 * place + 3));
  return (jsqr(colors, width, width) || {}).data;
}

for (const pixels of [3, 4, 8]) {
  const failed = { jsqr: 0 };
  for (let number = 0; number < 200; number += 1) {
    const text = token(number);
    const picture = draw(text, pixels);
    for (const [name, configuration] of Object.entries(CONFIGURATIONS)) {
      failed[name] = (failed[name] || 0) + (byZxing(picture, configuration) !== text);
    }
    failed.jsqr += byJsqr(picture) !== text;
  }
  console.log(`${pixels} pixels a module, failed of 200:`, JSON.stringify(failed));
}
JS
node read.js | tee seen
diff seen - <<'TEXT'
3 pixels a module, failed of 200: {"jsqr":0,"no hint":4,"other binarizer":4,"TRY_HARDER":4,"PURE_BARCODE":0}
4 pixels a module, failed of 200: {"jsqr":0,"no hint":5,"other binarizer":5,"TRY_HARDER":5,"PURE_BARCODE":0}
8 pixels a module, failed of 200: {"jsqr":0,"no hint":17,"other binarizer":17,"TRY_HARDER":17,"PURE_BARCODE":0}
TEXT
