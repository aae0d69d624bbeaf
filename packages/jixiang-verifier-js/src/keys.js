/* The published keys: a JWK set (RFC 7517, RFC 8037) with `until` for each key, and those retired. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

import { Refused } from './refused.js';

/* {keys, retired} of the published JSON. Throws a TypeError with all that is wrong. */
export function parseKeys(published) {
  if (!Array.isArray(published?.keys)) {
    throw new TypeError('No key set: expected the JSON of /.well-known/jixiang-keys, with a list `keys`.');
  }
  const wrong = [];
  const [keys, retired] = ['keys', 'retired'].map((name) =>
    (published[name] ?? []).flatMap((member, number) => {
      const key = parseKey(member);
      if (!key) wrong.push(`${name}[${number}] is no Ed25519 key with kid, x and until.`);
      return key ?? [];
    }),
  );
  if (wrong.length) throw new TypeError(wrong.join(' '));
  return { keys, retired };
}

function parseKey(member) {
  if (member?.kty !== 'OKP' || member.crv !== 'Ed25519' || typeof member.kid !== 'string') return null;
  const publicKey = fromBase64url(member.x);
  const until = member.until === null ? Infinity : Date.parse(member.until) / 1000;
  return publicKey?.length === 32 && !Number.isNaN(until) ? { kid: member.kid, publicKey, until } : null;
}

/* The bytes of base64url without padding, or null. */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null;
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

/* Check who signed at a second, and the signature over COSE's Sig_structure. Throws Refused. */
export function requireSignature({ kid, issued, header, payload, signature }, known) {
  const key = known.find((candidate) => candidate.kid === kid);
  if (!key || issued >= key.until) throw new Refused('unknown-key');
  const message = concatBytes(
    Uint8Array.of(0x84, 0x6a), utf8ToBytes('Signature1'), byteString(header), Uint8Array.of(0x40), byteString(payload),
  );
  if (!isSigned(signature, message, key.publicKey)) throw new Refused('forged');
}

/* By RFC 8032 to the letter: looser readers take a second signature for the same bytes. */
function isSigned(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // bytes that are no point
  }
}

/* CBOR's head of a byte string, as short as it can be, and the string. */
function byteString(bytes) {
  const { length } = bytes;
  const head = Uint8Array.from(
    length < 24 ? [0x40 | length]
      : length < 0x100 ? [0x58, length]
        : length < 0x10000 ? [0x59, length >> 8, length & 255]
          : [0x5a, (length >>> 24) & 255, (length >> 16) & 255, (length >> 8) & 255, length & 255],
  );
  return concatBytes(head, bytes);
}
