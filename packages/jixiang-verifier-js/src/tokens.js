/* The three forms of a token, and the checks in their order: form, key, signature, times. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

import { requireSignature } from './keys.js';
import { Refused } from './refused.js';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const STATES = { 2: 'UNVERIFIED', 3: 'GREEN', 4: 'YELLOW', 5: 'ORANGE', 6: 'RED' };

/* For each form: bytes in all, what must be at an offset, and where the fields are. A token has one spelling. */
const FORMS = {
  JX1: {
    size: 139,
    fixed: { 0: 'd2844da201270448', 16: 'a05836a4041a', 26: '061a', 32: '075820', 67: '3a00010000', 73: '5840' },
    issued: 28, begins: 28, state: 72, end: 73,
  },
  JX2: {
    size: 125,
    fixed: { 0: 'd2844da201270448', 16: 'a05828a3041a', 26: '061a', 32: '075818', 59: '5840' },
    issued: 28, begins: 28, number: 35, end: 59, lasts: true,
  },
  JX3: {
    size: 141,
    fixed: { 0: 'd2844da201270448', 16: 'a05838a5041a', 26: '051a', 32: '061a', 38: '07581c', 69: '3a00010000', 75: '5840' },
    issued: 34, begins: 28, state: 74, end: 75, lasts: true,
  },
};

/*
 * What a code says at a moment. `text` is that of the QR code, from which only what a scanner has added at the end (CR, LF,
 * TAB) was cut. Throws Refused.
 */
export function verify(text, keys, { at = new Date(), skewSeconds = 10 } = {}) {
  const name = typeof text === 'string' ? /^(JX[123]):/.exec(text)?.[1] : undefined;
  if (!name) throw new Refused('malformed');
  const form = FORMS[name];
  const bytes = decode(text, form);
  const second = (offset) => new DataView(bytes.buffer).getUint32(offset);
  const [issued, begins, ends] = [second(form.issued), second(form.begins), second(22)];
  requireSignature(
    {
      kid: String.fromCharCode(...bytes.subarray(8, 16)),
      issued,
      header: bytes.subarray(3, 16),
      payload: bytes.subarray(19, form.end),
      signature: bytes.subarray(form.end + 2),
    },
    form.lasts ? [...keys.keys, ...keys.retired] : keys.keys,
  );
  const now = at.getTime() / 1000;
  if (Math.max(issued, begins) > now + skewSeconds) throw new Refused('not-yet-valid');
  if (ends < now - skewSeconds) throw new Refused('expired');
  const times = { issuedAt: new Date(issued * 1000), endsAt: new Date(ends * 1000) };
  if (form.number) return { form: name, number: bytesToHex(bytes.subarray(form.number, form.number + 8)), ...times };
  return { form: name, state: STATES[bytes[form.state]], ...times, beginsAt: new Date(begins * 1000) };
}

/* The kid in a code with a state, nothing checked but its form. Throws Refused. */
export function kidOf(text) {
  const name = typeof text === 'string' ? /^(JX[13]):/.exec(text)?.[1] : undefined;
  if (!name) throw new Refused('malformed');
  return String.fromCharCode(...decode(text, FORMS[name]).subarray(8, 16));
}

/* The bytes of a text in the one spelling of its form. Throws Refused. */
function decode(text, { size, fixed, state }) {
  if (text.length !== 4 + 3 * ((size - 1) / 2) + 2) throw new Refused('malformed');
  const bytes = fromBase45(text.slice(4), size);
  const differs = ([offset, hex]) => hexToBytes(hex).some((byte, index) => bytes[Number(offset) + index] !== byte);
  const isForeign = Object.entries(fixed).some(differs) || bytes.subarray(8, 16).some((byte) => byte > 127);
  if (isForeign || (state && !STATES[bytes[state]])) throw new Refused('malformed');
  return bytes;
}

/* Two bytes in three characters each time, and the last in two (RFC 9285). Throws Refused. */
function fromBase45(text, size) {
  const bytes = new Uint8Array(size);
  const values = Array.from(text, (letter) => DIGITS.indexOf(letter));
  if (values.includes(-1)) throw new Refused('malformed');
  for (let at = 0, to = 0; at < values.length; at += 3, to += 2) {
    const isLast = at + 2 === values.length;
    const value = values[at] + 45 * values[at + 1] + (isLast ? 0 : 2025 * values[at + 2]);
    if (value > (isLast ? 0xff : 0xffff)) throw new Refused('malformed');
    if (isLast) bytes[to] = value;
    else bytes.set([value >> 8, value & 255], to);
  }
  return bytes;
}
