/*
 * The published keys on this phone: which of them signed something, and whether the signature is good.
 *
 * Pure. S of a signature is below L, so that nobody makes a second signature of the same bytes.
 */
const nacl = require('tweetnacl');

const base64url = require('./base64url.js');

/* The order of the curve's group, 2^252 + 27742317777372353535851937790883648493, lowest byte first. */
const ORDER = [
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/* The public key of a kid that signed at a time in milliseconds, or null. */
function find(keys, kid, at) {
  const key = keys.find((candidate) => candidate.kid === kid);
  const publicKey = key && base64url.bytes(key.x);
  if (!publicKey || publicKey.length !== 32) return null;
  return key.until && at >= Date.parse(key.until) ? null : publicKey;
}

/* Whether a signature of this key is over these bytes; all are lists of bytes. */
function isSigned(message, signature, publicKey) {
  if (!belowOrder(signature.slice(32))) return false; // tweetnacl does not look, and a second signature would be valid
  return nacl.sign.detached.verify(Uint8Array.from(message), Uint8Array.from(signature), Uint8Array.from(publicKey));
}

function belowOrder(scalar) {
  for (let at = 31; at >= 0; at -= 1) {
    if (scalar[at] !== ORDER[at]) return scalar[at] < ORDER[at];
  }
  return false;
}

module.exports = { find, isSigned };
