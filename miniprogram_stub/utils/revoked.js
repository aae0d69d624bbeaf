/*
 * The signed list of cards on paper that may have been reported lost (docs/reference/token.md), as this phone last got it.
 *
 * It is a filter: "not listed" is certain, and a hit means to ask. A filter that is wrong as a whole would hit everybody, so
 * a list is used only where it passes the tests in itself; until then the one before is. Kept in a file, because a list
 * may be larger than what a phone stores under one name.
 */
const sha256 = require('fast-sha256');
const clock = require('./clock.js');
const { find, isSigned } = require('./keys.js');
const sending = require('./sending.js');

const PATH = '/.well-known/jixiang-revoked';
const FILE = 'revoked.cose';
const RENEW = 15 * 60 * 1000; // milliseconds after which the server is asked for a newer one

/* The bytes that are the same in each list, and where the others are. */
const FIXED = {
  0: [0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x27, 0x04, 0x48], 16: [0xa0, 0x5a], 22: [0xa4, 0x01, 0x1a], 29: [0x02, 0x1a], 35: [0x03], 37: [0x04, 0x5a],
};
const KID = 8;
const KID_END = 16;
const SIZE = 18;
const PAYLOAD = 22;
const VERSION = 25;
const HASHES = 36;
const LENGTH = 39; // of the filter
const FILTER = 43;
const TAIL = 66; // the label of the signature, and the signature
const SIGNED_START = [0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31];

const MOST_FILLED = 0.6; // of the bits
const LISTED = 16; // numbers that each list has
const ABSENT = 1024; // numbers that no list has,
const MOST_FALSE = 10; // of which so many may hit

let kept = null; // the list in use
let asked = 0; // when the server last gave one, or said that there is no newer

/* Fetch a newer list by the keys of now. Rejects where the server does not answer; a list that is wrong changes nothing. */
async function refresh(keySet) {
  if (Math.abs(clock.now() - asked) < RENEW) return;
  const before = await current();
  const content = await sending.bytes({ path: PATH, known: before ? `"${before.version}"` : '' });
  asked = clock.now();
  const list = content && readSigned(new Uint8Array(content), keySet);
  if (!list || (before && list.version <= before.version)) return;
  kept = list;
  await sending.keep(content, FILE).catch(() => {}); // a full phone: the list is used until the mini-program ends
}

/* The list in use, {version, madeAt, mayList}, or null; a number of a card is a list of 8 bytes. */
async function current() {
  if (!kept) {
    const content = await sending.readKept(FILE).catch(() => null);
    kept = kept || (content && read(new Uint8Array(content)));
  }
  return kept;
}

/* A list that a key of `keys` signed and that works, or null. */
function readSigned(content, { keys }) {
  const list = read(content);
  if (!list) return null;
  const publicKey = find(keys, String.fromCharCode(...content.subarray(KID, KID_END)), list.madeAt);
  const signed = publicKey && isSigned(signedBytes(content), Array.from(content.subarray(-64)), publicKey);
  return signed ? list : null;
}

/* A list in its one spelling whose filter works, or null. */
function read(content) {
  const differs = (at) => FIXED[at].some((byte, index) => content[Number(at) + index] !== byte);
  if (content.length <= FILTER + TAIL || Object.keys(FIXED).some(differs)) return null;
  const filter = content.subarray(FILTER, content.length - TAIL);
  const hashes = content[HASHES];
  const isWhole = number(content, SIZE) === filter.length + FILTER - PAYLOAD && number(content, LENGTH) === filter.length;
  const label = content.subarray(content.length - TAIL);
  if (!isWhole || label[0] !== 0x58 || label[1] !== 0x40 || hashes < 1 || hashes > 23) return null;
  const version = number(content, VERSION);
  const list = { version, madeAt: 1000 * version, mayList: (card) => hits(filter, hashes, card) };
  return works(list, filter) ? list : null;
}

/* By double hashing of the two halves of a number. The sums stay below 2^53. */
function hits(filter, hashes, card) {
  const bits = 8 * filter.length;
  let place = number(card, 0);
  let step = number(card, 4);
  for (let n = 0; n < hashes; n += 1) {
    const at = place % bits;
    if (!((filter[Math.floor(at / 8)] >> at % 8) & 1)) return false;
    place += step;
    step += n;
  }
  return true;
}

/* Whether a filter hits what it must, and little else: one of all ones would stop everybody. */
function works(list, filter) {
  let ones = 0;
  for (const byte of filter) for (let left = byte; left; left &= left - 1) ones += 1;
  const found = (kind, most) => Array.from({ length: most }, (_, n) => list.mayList(testNumber(kind, n))).filter(Boolean).length;
  return ones <= MOST_FILLED * 8 * filter.length && found('listed', LISTED) === LISTED && found('absent', ABSENT) <= MOST_FALSE;
}

function testNumber(kind, n) {
  const text = `jixiang-revoked ${kind} ${n}`;
  return Array.from(sha256(Uint8Array.from(text, (letter) => letter.charCodeAt(0))).subarray(0, 8));
}

/* Four bytes, the highest first. */
function number(bytes, at) {
  return ((bytes[at] * 256 + bytes[at + 1]) * 256 + bytes[at + 2]) * 256 + bytes[at + 3];
}

/* COSE's Sig_structure, whose lengths are as short as can be. */
function signedBytes(content) {
  const payload = content.subarray(PAYLOAD, content.length - TAIL);
  const size = payload.length;
  const short = size < 0x10000 ? [size >> 8, size & 255] : [(size >>> 24) & 255, (size >> 16) & 255, (size >> 8) & 255, size & 255];
  const head = size < 0x100 ? [0x58, size] : [size < 0x10000 ? 0x59 : 0x5a, ...short];
  const before = [...SIGNED_START, ...content.subarray(2, KID_END), 0x40, ...head];
  const all = new Uint8Array(before.length + size);
  all.set(before);
  all.set(payload, before.length);
  return all;
}

module.exports = { refresh, current, readSigned };
