/* The picture of a token, read back: by a decoder of QR codes, from pixels that a reader of PNG has unpacked. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const zlib = require('node:zlib');

const jsqr = require('jsqr');

const png = require('../utils/png.js');
const qr = require('../utils/qr.js');

const FILE = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'tokens.json'), 'utf8'));
const TOKENS = FILE.vectors.filter((vector) => vector.expect.state).map((vector) => vector.text);

/* The chunks of a PNG by their names, each with its checksum looked at. */
function chunks(uri) {
  const file = Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64');
  assert.equal(file.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  const found = {};
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    assert.equal(file.readUInt32BE(at + 8 + length), crc(body));
    found[body.subarray(0, 4).toString()] = body.subarray(4);
    at += 12 + length;
  }
  return found;
}

/* The checksum of PNG and gzip, as zlib writes it at the end of a gzip file. */
function crc(bytes) {
  return zlib.gzipSync(bytes).readUInt32LE(zlib.gzipSync(bytes).length - 8);
}

/* {width, black(x, y)} of a picture of one bit a pixel whose rows are as they are or as the row above. */
function unpack(uri) {
  const { IHDR, IDAT } = chunks(uri);
  const width = IHDR.readUInt32BE(0);
  assert.deepEqual([...IHDR.subarray(4)], [...IHDR.subarray(0, 4), 1, 0, 0, 0, 0], 'a square, one bit a pixel, gray');
  const bytes = Math.ceil(width / 8);
  const raw = zlib.inflateSync(IDAT); // checks the sum at the end, too
  assert.equal(raw.length, width * (bytes + 1));
  const rows = [];
  for (let y = 0; y < width; y += 1) {
    const [filter, ...row] = raw.subarray(y * (bytes + 1), (y + 1) * (bytes + 1));
    rows.push(filter === 2 ? row.map((byte, x) => (byte + rows[y - 1][x]) & 255) : row);
  }
  return { width, black: (x, y) => ((rows[y][x >> 3] >> (7 - (x & 7))) & 1) === 0 };
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

test('a picture of any size is a good one', () => {
  for (const size of [1, 2, 3, 7, 8, 57, 177]) {
    for (const scale of [1, 2, 3, 8, 13]) {
      if (size * scale < 25) continue; // no code is as small
      const dark = (row, column) => (row * 7 + column * column) % 3 === 0;
      const { width, black } = unpack(png.dataUri(size, scale, dark));
      assert.equal(width, size * scale);
      for (let at = 0; at < width; at += 1) {
        const other = (at * 31) % width;
        assert.equal(black(at, other), dark(Math.floor(other / scale), Math.floor(at / scale)), `${size} × ${scale}`);
      }
    }
  }
});
