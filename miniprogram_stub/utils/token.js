/*
 * Reads a token without network, by the published keys alone. Form and order of checks are those of docs/reference/token.md.
 *
 * Reads all three: JX1, the code of a minute; JX3, one of a strip, whose state is that of its issue; and JX2, a card on
 * paper, which has no state but a number. Pure: no clock, no storage, no phone. Whose a token is only the server can see.
 * Every token has one spelling, so whatever differs from the layout in one byte is malformed.
 */
const { find, isSigned } = require('./keys.js');

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
const NUMBER = 8; // bytes

/* The forms by their prefix: characters in all, the bytes that are the same in each, where the fields are, and `end`, of what is signed. */
const FORMS = {
  'JX1:': {
    length: 213,
    fixed: { 0: HEAD, 16: [0xa0, 0x58, 0x36, 0xa4, 0x04, 0x1a], 26: [0x06, 0x1a], 32: [0x07, 0x58, 0x20], 67: LABEL_OF_STATE, 73: LABEL_OF_SIGNATURE },
    begins: 28, // the second of issue
    issued: 28,
    state: 72,
    end: 73,
  },
  'JX2:': {
    length: 192, // on paper: for months, and without a state
    fixed: { 0: HEAD, 16: [0xa0, 0x58, 0x28, 0xa3, 0x04, 0x1a], 26: [0x06, 0x1a], 32: [0x07, 0x58, 0x18], 59: LABEL_OF_SIGNATURE },
    begins: 28,
    issued: 28,
    number: 35,
    end: 59,
    lasts: true, // longer than the key that signed it is published among `keys`
  },
  'JX3:': {
    length: 216, // of a strip: for a window of the hours to come
    fixed: { 0: HEAD, 16: [0xa0, 0x58, 0x38, 0xa5, 0x04, 0x1a], 26: [0x05, 0x1a], 32: [0x06, 0x1a], 38: [0x07, 0x58, 0x1c], 69: LABEL_OF_STATE, 75: LABEL_OF_SIGNATURE },
    begins: 28,
    issued: 34,
    state: 74,
    end: 75,
    lasts: true,
  },
};

/* What is signed: 84 6a "Signature1" + bytes 2 to 15 + 40 + bytes 17 to the end. */
const SIGNED_START = [0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31];

/*
 * {state, issuedAt, endsAt}, or of a card {number, issuedAt, endsAt}, in milliseconds since 1970, by a key set as the server
 * publishes it. Throws an Error whose `type` is token-malformed, token-unknown-key, token-forged, token-not-yet-valid or token-expired.
 */
function read(text, keySet, nowMs, skewSeconds = 10) {
  const { form, bytes, ...token } = parse(text);
  const known = form.lasts ? keySet.keys.concat(keySet.retired || []) : keySet.keys;
  const publicKey = find(known, token.kid, token.issuedAt);
  if (!publicKey) throw refused('token-unknown-key');
  const message = SIGNED_START.concat(bytes.slice(2, 16), 0x40, bytes.slice(17, form.end));
  if (!isSigned(message, bytes.slice(form.end + 2), publicKey)) throw refused('token-forged');
  if (Math.max(token.issuedAt, token.beginsAt) > nowMs + 1000 * skewSeconds) throw refused('token-not-yet-valid');
  if (token.endsAt < nowMs - 1000 * skewSeconds) throw refused('token-expired');
  const { state, number, issuedAt, endsAt } = token;
  return number ? { number, issuedAt, endsAt } : { state, issuedAt, endsAt };
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
  if (!whole || (form.state && !state) || kid.some((byte) => byte > 127)) throw refused('token-malformed');
  return {
    bytes,
    form,
    state,
    number: form.number && bytes.slice(form.number, form.number + NUMBER),
    kid: String.fromCharCode(...kid),
    issuedAt: 1000 * second(bytes, form.issued),
    beginsAt: 1000 * second(bytes, form.begins),
    endsAt: 1000 * second(bytes, ENDS),
  };
}

/* Four bytes, the highest first. */
function second(bytes, at) {
  return bytes.slice(at, at + 4).reduce((value, byte) => value * 256 + byte, 0);
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

module.exports = { read, parse, trim };
