/*
 * Reads a token without network, by the published keys alone. Form and order of checks are those of docs/reference/token.md.
 *
 * Reads the two forms with a state: JX1, the code of a minute, and JX3, one of a strip, whose state is that of its issue.
 * Pure: no clock, no storage, no phone. Tells state and times; whose the token is only the server can see. Every token
 * has one spelling, so whatever differs from the layout in one byte is malformed, and S of a signature is below L.
 */
const nacl = require('tweetnacl');

const base64url = require('./base64url.js');

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const STATES = { 2: 'UNVERIFIED', 3: 'GREEN', 4: 'YELLOW', 5: 'ORANGE', 6: 'RED' };

/* What a scanner adds to a code: the key that ends its line, blanks, a byte order mark. No token begins or ends so. */
const ADDED = /^[\uFEFF \t\r\n]+|[\uFEFF \t\r\n]+$/g;

const HEAD = [0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x27, 0x04, 0x48];
const LABEL_OF_STATE = [0x3a, 0x00, 0x01, 0x00, 0x00];
const LABEL_OF_SIGNATURE = [0x58, 0x40];
const KID = 8;
const KID_END = 16;
const ENDS = 22;

/* The forms by their prefix: characters in all, the bytes that are the same in each, and where the fields are. */
const FORMS = {
  'JX1:': {
    length: 213,
    fixed: { 0: HEAD, 16: [0xa0, 0x58, 0x36, 0xa4, 0x04, 0x1a], 26: [0x06, 0x1a], 32: [0x07, 0x58, 0x20], 67: LABEL_OF_STATE, 73: LABEL_OF_SIGNATURE },
    begins: 28, // the second of issue
    issued: 28,
    state: 72,
    signature: 75,
  },
  'JX3:': {
    length: 216, // of a strip: for a window of the hours to come
    fixed: { 0: HEAD, 16: [0xa0, 0x58, 0x38, 0xa5, 0x04, 0x1a], 26: [0x05, 0x1a], 32: [0x06, 0x1a], 38: [0x07, 0x58, 0x1c], 69: LABEL_OF_STATE, 75: LABEL_OF_SIGNATURE },
    begins: 28,
    issued: 34,
    state: 74,
    signature: 77,
  },
};

/* What is signed: 84 6a "Signature1" + bytes 2 to 15 + 40 + bytes 17 to the state. */
const SIGNED_START = [0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31];

/* The order of the curve's group, 2^252 + 27742317777372353535851937790883648493, lowest byte first. */
const ORDER = [
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/*
 * {state, issuedAt, endsAt} in milliseconds since 1970, by a key set as the server publishes it. Throws an Error whose
 * `type` is token-malformed, token-unknown-key, token-forged, token-not-yet-valid or token-expired.
 */
function read(text, keySet, nowMs, skewSeconds = 10) {
  const token = parse(text);
  const known = token.strip ? keySet.keys.concat(keySet.retired || []) : keySet.keys;
  const key = known.find((candidate) => candidate.kid === token.kid);
  const publicKey = key && base64url.bytes(key.x);
  if (!publicKey || publicKey.length !== 32) throw refused('token-unknown-key');
  if (key.until && token.issuedAt >= Date.parse(key.until)) throw refused('token-unknown-key');
  if (!signedBy(token, publicKey)) throw refused('token-forged');
  if (Math.max(token.issuedAt, token.beginsAt) > nowMs + 1000 * skewSeconds) throw refused('token-not-yet-valid');
  if (token.endsAt < nowMs - 1000 * skewSeconds) throw refused('token-expired');
  return { state: token.state, issuedAt: token.issuedAt, endsAt: token.endsAt };
}

/* The text of a scan without what the scanner added at its ends. */
function trim(text) {
  return typeof text === 'string' ? text.replace(ADDED, '') : text;
}

/* The fields of a token, nothing checked but its form. Throws token-malformed. */
function parse(text) {
  const prefix = typeof text === 'string' ? text.slice(0, 4) : '';
  const form = Object.prototype.hasOwnProperty.call(FORMS, prefix) && FORMS[prefix];
  if (!form || text.length !== form.length) throw refused('token-malformed');
  const bytes = fromBase45(text.slice(prefix.length));
  const { fixed } = form;
  const whole = Object.keys(fixed).every((at) => fixed[at].every((byte, index) => bytes[Number(at) + index] === byte));
  const kid = bytes.slice(KID, KID_END);
  const state = STATES[bytes[form.state]];
  if (!whole || !state || kid.some((byte) => byte > 127)) throw refused('token-malformed');
  return {
    bytes,
    form,
    state,
    strip: form.begins !== form.issued,
    kid: String.fromCharCode(...kid),
    issuedAt: 1000 * number(bytes, form.issued),
    beginsAt: 1000 * number(bytes, form.begins),
    endsAt: 1000 * number(bytes, ENDS),
  };
}

/* Four bytes, the highest first. */
function number(bytes, at) {
  return bytes.slice(at, at + 4).reduce((value, byte) => value * 256 + byte, 0);
}

function signedBy({ bytes, form }, publicKey) {
  const message = SIGNED_START.concat(bytes.slice(2, 16), 0x40, bytes.slice(17, form.state + 1));
  return isSigned(message, bytes.slice(form.signature), publicKey);
}

/* Whether a signature of 64 bytes is that of a key over a message; all are lists of bytes. */
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

/* The bytes in base45: two in three characters each time, and one in the last two. */
function fromBase45(text) {
  const values = Array.from(text, (letter) => DIGITS.indexOf(letter));
  if (values.some((value) => value < 0)) throw refused('token-malformed');
  const bytes = [];
  for (let at = 0; at < values.length; at += 3) {
    const last = at + 2 >= values.length;
    const value = values[at] + 45 * values[at + 1] + (last ? 0 : 2025 * values[at + 2]);
    if (value > (last ? 0xff : 0xffff)) throw refused('token-malformed');
    if (!last) bytes.push(value >> 8);
    bytes.push(value & 255);
  }
  return bytes;
}

function refused(type) {
  return Object.assign(new Error(type), { type });
}

module.exports = { read, parse, trim, isSigned };
