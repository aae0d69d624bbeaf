/* The signed list of cards on paper that were reported lost: `GET /.well-known/jixiang-revoked`, a Bloom filter. */
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

import { requireSignature } from './keys.js';
import { Refused } from './refused.js';

const FIXED = { 0: 'd2844da201270448', 16: 'a05a', 22: 'a4011a', 29: '021a', 35: '03', 37: '045a' };
const START = 43; // of the filter
const TAIL = 66; // the head of the signature, and the signature
const MOST_FILLED = 0.6; // of the bits
const MOST_FALSE = 10; // of 1,024 numbers that no list has

/* A list that works. Throws Refused: go on with the one before, or with none. */
export function readRevocationList(content, keys) {
  const list = parse(content);
  const payload = content.subarray(22, content.length - TAIL);
  requireSignature(
    { kid: list.kid, issued: list.version, header: content.subarray(3, 16), payload, signature: content.subarray(-64) },
    keys.keys,
  );
  const read = {
    version: list.version,
    cards: list.cards,
    madeAt: new Date(list.version * 1000),
    mayList: (number) => hits(list, hexToBytes(number)),
  };
  if (!works(list)) throw new Refused('broken');
  return read;
}

/* The fields of a list in its one spelling. Throws Refused. */
function parse(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const differs = ([offset, hex]) => hexToBytes(hex).some((byte, index) => content[Number(offset) + index] !== byte);
  if (content.length <= START + TAIL || Object.entries(FIXED).some(differs)) throw new Refused('malformed');
  const bits = content.subarray(START, content.length - TAIL);
  const isWhole = view.getUint32(18) === bits.length + START - 22 && view.getUint32(39) === bits.length;
  const hashes = content[36];
  if (!isWhole || content.at(-66) !== 0x58 || content.at(-65) !== 0x40 || hashes < 1 || hashes > 23) throw new Refused('malformed');
  return { kid: String.fromCharCode(...content.subarray(8, 16)), version: view.getUint32(25), cards: view.getUint32(31), hashes, bits };
}

/* Whether all bits of a number are set. The sums stay below 2^53, as 23 steps of 32 bits do. */
function hits({ bits, hashes }, number) {
  const view = new DataView(number.buffer, number.byteOffset, 8);
  let place = view.getUint32(0);
  let step = view.getUint32(4);
  for (let n = 0; n < hashes; n += 1) {
    const at = place % (8 * bits.length);
    if (!((bits[Math.floor(at / 8)] >> at % 8) & 1)) return false;
    place += step;
    step += n;
  }
  return true;
}

/* Whether a filter hits what it must, and little else: one of all ones would stop everybody. */
function works(list) {
  const number = (kind, n) => sha256(utf8ToBytes(`jixiang-revoked ${kind} ${n}`)).slice(0, 8);
  const count = (kind, numbers) => Array.from({ length: numbers }, (_, n) => hits(list, number(kind, n))).filter(Boolean).length;
  const ones = list.bits.reduce((sum, byte) => sum + onesOf(byte), 0);
  return ones <= MOST_FILLED * 8 * list.bits.length && count('listed', 16) === 16 && count('absent', 1024) <= MOST_FALSE;
}

function onesOf(byte) {
  let count = 0;
  for (let left = byte; left; left &= left - 1) count += 1;
  return count;
}
