/* Codes of other provinces, by the signed trust list: `GET /.well-known/jixiang-trust`; written from its reference. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

import { fromBase64url } from './keys.js';
import { Refused } from './refused.js';
import { kidOf, verify } from './tokens.js';

const LONGEST = 31 * 24 * 3600;
const AHEAD = 300;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;
const THUMBPRINT_START = hexToBytes('a301012006215820');

/*
 * A list that the root key (43 characters of base64url) has signed. `known` is the greatest version that was ever read
 * under this root key. Throws Refused: go on with the list before.
 */
export function readTrustList(content, root, { known = 0, at = new Date() } = {}) {
  const read = sound(signedContent(content, root), root);
  if (read.version <= known) throw new Refused('older');
  if (read.version > at.getTime() / 1000 + AHEAD) throw new Refused('from-future');
  return read;
}

/* What a code says that an issuer of the list has signed: {issuer, ...} as `verify` gives it. Throws Refused. */
export function verifyForeign(text, list, { at = new Date(), skewSeconds = 10 } = {}) {
  const kid = kidOf(text);
  const found = list.keys.find((key) => key.kid === kid);
  if (!found) throw new Refused('unknown-key');
  if (list.expiresAt.getTime() <= at.getTime()) throw new Refused('list-expired');
  if (!found.issuer.isActive) throw new Refused('issuer-suspended');
  if (found.revoked) throw new Refused('key-revoked');
  const code = verify(text, { keys: [found], retired: [] }, { at, skewSeconds });
  if (code.issuedAt.getTime() / 1000 < found.since) throw new Refused('unknown-key');
  return { issuer: found.issuer, ...code };
}

/* What is signed, if it is by this root key. Throws Refused. */
function signedContent(content, root) {
  const members = parsed(content, 'malformed');
  if (!hasExactly(members, ['protected', 'payload', 'signature'])) throw new Refused('malformed');
  const [header, payload, signature] = ['protected', 'payload', 'signature'].map((name) => decoded(members[name]));
  const { alg, kid, typ, ...more } = parsed(text(header), 'malformed') ?? {};
  if (alg !== 'EdDSA' || typ !== 'jixiang-trust' || kid === undefined || Object.keys(more).length) throw new Refused('malformed');
  const publicKey = fromBase64url(root);
  if (kid !== kidOfKey(publicKey)) throw new Refused('unknown-key');
  if (!isSigned(signature, utf8ToBytes(`${members.protected}.${members.payload}`), publicKey)) throw new Refused('forged');
  return parsed(text(payload), 'broken');
}

/* The list in a content of the right form, with nothing twice and somebody to recognise. Throws Refused. */
function sound(content, root) {
  const { version, expires_at: expires, issuers } = content ?? {};
  const isWhole = hasExactly(content, ['version', 'expires_at', 'issuers']) && Number.isInteger(version) && Array.isArray(issuers);
  const expiresAt = second(expires);
  if (!isWhole || version < 1 || version >= 2 ** 32 || !(expiresAt > version && expiresAt <= version + LONGEST)) throw new Refused('broken');
  const keys = issuers.flatMap(keysOf);
  const isTwice = [issuers.map(({ id }) => id), issuers.map(({ region }) => region), keys.map(({ kid }) => kid)].some(
    (values) => new Set(values).size < values.length,
  );
  const inForce = keys.filter(({ issuer, revoked, until }) => issuer.isActive && !revoked && until > version);
  if (isTwice || keys.some(({ x }) => x === root) || (keys.length && !inForce.length)) throw new Refused('broken');
  return { version, expiresAt: new Date(expiresAt * 1000), keys };
}

function keysOf(listed) {
  const { id, region, names, status, keys } = listed ?? {};
  const isWhole = hasExactly(listed, ['id', 'region', 'names', 'status', 'keys']) && hasExactly(names, ['zh', 'en', 'ko']);
  const isNamed = isWhole && /^[a-z][a-z0-9-]{0,30}$/.test(id) && /^[0-9]{6}$/.test(region) && Object.values(names).every(isName);
  if (!isNamed || !['active', 'suspended'].includes(status) || !Array.isArray(keys) || !keys.length) throw new Refused('broken');
  const issuer = { id, region, names, isActive: status === 'active' };
  return keys.map((key) => ({ ...keyOf(key), issuer }));
}

function keyOf(listed) {
  const { revoked = false, ...rest } = listed ?? {};
  const publicKey = fromBase64url(rest.x);
  const since = second(rest.from);
  const until = rest.until === null ? Infinity : second(rest.until);
  const isWhole = hasExactly(rest, ['kid', 'x', 'from', 'until']) && typeof revoked === 'boolean' && publicKey?.length === 32;
  if (!isWhole || rest.kid !== kidOfKey(publicKey) || !(since < until)) throw new Refused('broken');
  return { kid: rest.kid, x: rest.x, publicKey, since, until, revoked };
}

const isName = (name) => typeof name === 'string' && /^[^\s\p{C}](?:[^\p{C}]{0,38}[^\s\p{C}])?$/u.test(name);
const text = (bytes) => new TextDecoder().decode(bytes);
const second = (moment) => (typeof moment === 'string' && MOMENT.test(moment) ? Date.parse(moment) / 1000 : NaN);
const kidOfKey = (publicKey) => bytesToHex(sha256(concatBytes(THUMBPRINT_START, publicKey))).slice(0, 8);

function hasExactly(value, names) {
  const there = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  return there.length === names.length && names.every((name) => there.includes(name));
}

function parsed(json, fault) {
  try {
    return JSON.parse(json);
  } catch {
    throw new Refused(fault);
  }
}

function decoded(member) {
  const bytes = typeof member === 'string' ? fromBase64url(member) : null;
  if (!bytes) throw new Refused('malformed');
  return bytes;
}

function isSigned(signature, message, publicKey) {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // bytes that are no point, or no signature
  }
}
