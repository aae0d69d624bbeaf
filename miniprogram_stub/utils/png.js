/*
 * A black and white picture of large square modules as a PNG in a data URI.
 *
 * Owns the little of PNG and deflate (RFC 1951) that this needs. A general encoder looks at each of half a million
 * pixels; here each row of modules is written once and repeated by a few "as above", which a phone without a
 * just-in-time compiler does in a few milliseconds. Depends on nothing of the phone.
 */
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const ADLER = 65521;
const AS_IS = 0; // the filters of a row
const AS_ABOVE = 2;
const GRAY = [1, 0, 0, 0, 0]; // one bit a pixel, gray; deflate; filters for each row; not interlaced

/* `size` modules in each direction, each `scale` pixels wide, 25 pixels at least; dark(row, column) tells the black. */
function dataUri(size, scale, dark) {
  const width = size * scale;
  const file = SIGNATURE.slice();
  chunk(file, 'IHDR', [...word(width), ...word(width), ...GRAY]);
  chunk(file, 'IDAT', zlib(size, scale, dark));
  chunk(file, 'IEND', []);
  return `data:image/png;base64,${base64(file)}`;
}

function zlib(size, scale, dark) {
  const out = deflating();
  const bytes = Math.ceil((size * scale) / 8);
  for (let row = 0; row < size; row += 1) {
    out.literal(AS_IS);
    pixels(size, scale, bytes, (column) => dark(row, column)).forEach(out.literal);
    if (scale > 1) out.literal(AS_ABOVE);
    if (scale > 1) out.zeros(bytes);
    if (scale > 2) out.above(AS_ABOVE, bytes, scale - 2);
  }
  return out.end();
}

/* One row of pixels, eight in a byte, white being 1. */
function pixels(size, scale, bytes, dark) {
  const row = new Array(bytes).fill(0);
  for (let column = 0; column < size; column += 1) {
    if (dark(column)) continue;
    for (let x = column * scale; x < (column + 1) * scale; x += 1) row[x >> 3] |= 128 >> (x & 7);
  }
  return row;
}

/* A zlib stream of one block with the fixed codes, and the checksum of what it unpacks to. */
function deflating() {
  const out = [0x78, 0x01];
  let held = 0;
  let count = 0;
  let low = 1;
  let high = 0;

  function bits(value, length) {
    held |= value << count;
    count += length;
    while (count >= 8) {
      out.push(held & 255);
      held >>>= 8;
      count -= 8;
    }
  }

  function huffman(code, length) {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits((code >> bit) & 1, 1);
  }

  function symbol(value) {
    if (value < 144) huffman(48 + value, 8);
    else if (value < 256) huffman(256 + value, 9);
    else if (value < 280) huffman(value - 256, 7);
    else huffman(value - 88, 8);
  }

  /* Again what stands `distance` bytes before, `length` bytes of it (3 to 258). */
  function copy(length, distance) {
    const n = length === 258 ? 0 : length - 3;
    const lengthBits = n < 8 ? 0 : 29 - Math.clz32(n);
    symbol(length === 258 ? 285 : 257 + 4 * lengthBits + (n >> lengthBits));
    bits(n & ((1 << lengthBits) - 1), lengthBits);
    const d = distance - 1;
    const distanceBits = d < 4 ? 0 : 30 - Math.clz32(d);
    huffman(2 * distanceBits + (d >> distanceBits), 5);
    bits(d & ((1 << distanceBits) - 1), distanceBits);
  }

  /* Any number of bytes from 3 on, none of the parts shorter than 3. */
  function repeat(length, distance) {
    let left = length;
    while (left > 258) {
      const part = left - 258 < 3 ? 255 : 258;
      copy(part, distance);
      left -= part;
    }
    copy(left, distance);
  }

  function sum(byte, zeros) {
    low = (low + byte) % ADLER;
    high = (high + low * (1 + zeros)) % ADLER;
  }

  function literal(byte) {
    symbol(byte);
    sum(byte, 0);
  }

  function zeros(number) {
    literal(0);
    repeat(number - 1, 1);
    sum(0, number - 2);
  }

  function above(first, bytes, rows) {
    repeat(rows * (bytes + 1), bytes + 1);
    for (let row = 0; row < rows; row += 1) sum(first, bytes);
  }

  function end() {
    symbol(256);
    bits(0, 7); // up to a whole byte
    return out.concat(half(high), half(low));
  }

  bits(3, 3); // the last block, with the fixed codes
  return { literal, zeros, above, end };
}

function chunk(file, name, data) {
  const body = Array.from(name, (letter) => letter.charCodeAt(0)).concat(data);
  const parts = [word(data.length), body, word(crc(body))];
  parts.forEach((part) => part.forEach((byte) => file.push(byte)));
}

function half(value) {
  return [value >>> 8, value & 255];
}

function word(value) {
  return [...half(value >>> 16), ...half(value & 0xffff)];
}

const REMAINDERS = Array.from({ length: 16 }, (_, nibble) => {
  let rest = nibble;
  for (let bit = 0; bit < 4; bit += 1) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

function crc(bytes) {
  let rest = 0xffffffff;
  bytes.forEach((byte) => {
    rest ^= byte;
    rest = REMAINDERS[rest & 15] ^ (rest >>> 4);
    rest = REMAINDERS[rest & 15] ^ (rest >>> 4);
  });
  return (rest ^ 0xffffffff) >>> 0;
}

function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    const letters = Math.min(3, bytes.length - at) + 1;
    for (let letter = 0; letter < letters; letter += 1) text += BASE64[(three >> (18 - 6 * letter)) & 63];
  }
  return text + '='.repeat((3 - (bytes.length % 3)) % 3);
}

module.exports = { dataUri };
