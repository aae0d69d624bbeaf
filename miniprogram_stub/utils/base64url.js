/* Base64url without padding (RFC 4648), which WeChat's own functions do not read, and UTF-8 in it. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/* The bytes, or null. */
function bytes(text) {
  const read = [];
  let held = 0;
  let bits = 0;
  for (const letter of String(text)) {
    const value = LETTERS.indexOf(letter);
    if (value < 0) return null;
    held = ((held << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      read.push((held >> bits) & 255);
    }
  }
  return read;
}

/* The text in UTF-8. Throws an Error. */
function text(encoded) {
  return decodeURIComponent(bytes(encoded).map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
}

module.exports = { bytes, text };
