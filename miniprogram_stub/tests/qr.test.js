/* The picture of a token, read back: by a decoder of QR codes, from the squares that the SVG draws. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const jsqr = require('jsqr');

const qr = require('../utils/qr.js');

const FILE = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'tokens.json'), 'utf8'));
const TOKENS = FILE.vectors.filter((vector) => vector.expect.state).map((vector) => vector.text);
const SVG = /^<svg [^>]*width="(\d+)px" height="(\d+)px" viewBox="0 0 \1 \1"[^>]*><rect [^>]*fill="white"[^>]*\/><path d="([^"]*)"[^>]* fill="black"\/><\/svg>$/;
const SQUARE = /M(\d+),(\d+)l12,0 0,12 -12,0 0,-12z /g;

/* {width, black(x, y)} of a white square with black squares in it, and nothing else. */
function unpack(uri) {
  const [type, text] = uri.split(/,(.*)/s);
  assert.equal(type, 'data:image/svg+xml');
  assert.doesNotMatch(text, /[<>"#\s]/, 'an address has none of these');
  const [, across, down, squares] = SVG.exec(decodeURIComponent(text));
  assert.equal(across, down);
  assert.equal(squares.replace(SQUARE, ''), '');
  const width = Number(across);
  const pixels = new Uint8Array(width * width);
  for (const [, x, y] of squares.matchAll(SQUARE)) {
    for (let row = Number(y); row < Number(y) + 12; row += 1) pixels.fill(1, row * width + Number(x), row * width + Number(x) + 12);
  }
  return { width, black: (x, y) => pixels[y * width + x] === 1 };
}

function decode(uri) {
  const { width, black } = unpack(uri);
  const pixels = new Uint8ClampedArray(width * width * 4);
  for (let at = 0; at < width * width; at += 1) {
    pixels.fill(black(at % width, Math.floor(at / width)) ? 0 : 255, 4 * at, 4 * at + 3);
  }
  return jsqr(pixels, width, width, { inversionAttempts: 'dontInvert' });
}

test('a scanner reads the token from the picture, at version 8 and in alphanumeric mode', () => {
  for (const token of TOKENS) {
    const read = decode(qr.picture(token));
    assert.equal(read.data, token);
    assert.equal(read.version, 8);
    assert.deepEqual(read.chunks.map((chunk) => chunk.type), ['alphanumeric']);
  }
});

test('the picture has whole modules, a quiet zone of four of them, and enough pixels for a sharp screen', () => {
  const { width, black } = unpack(qr.picture(TOKENS[0]));
  assert.equal(width, 12 * (49 + 8));
  assert.ok(width >= 600);
  for (let y = 0; y < width; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const quiet = Math.min(x, y) < 48 || Math.max(x, y) >= width - 48;
      if (quiet) assert.ok(!black(x, y), `${x}, ${y}`);
      assert.equal(black(x, y), black(x - (x % 12), y - (y % 12)), `${x}, ${y}`);
    }
  }
});

test('the format information says error correction M', () => {
  const { black } = unpack(qr.picture(TOKENS[0]));
  const module = (row, column) => black(12 * (column + 4), 12 * (row + 4));
  const level = [0, 1].map((column) => (module(8, column) ? 1 : 0)); // the first two bits, under the mask 10
  assert.deepEqual([level[0] ^ 1, level[1] ^ 0], [0, 0]);
});

test('the same token gives the same picture, and no two tokens share one', () => {
  assert.equal(qr.picture(TOKENS[0]), qr.picture(TOKENS[0]));
  assert.equal(new Set(TOKENS.map(qr.picture)).size, new Set(TOKENS).size);
});
