/*
 * The signed trust list: whose codes of other provinces are believed without network. Form and checks are those of
 * docs/reference/trust-list.md.
 *
 * Pure: no clock, no storage, no phone. A list that is refused changes nothing: the one before goes on.
 */
const sha256 = require('fast-sha256').hash;

const base64url = require('./base64url.js');
const { isSigned } = require('./keys.js');
const token = require('./token.js');

const TYPE = 'jixiang-trust';
const LONGEST = 31 * 24 * 60 * 60 * 1000; // milliseconds that a list may be used
const AHEAD = 5 * 60 * 1000; // that it may be from the future
const THUMBPRINT_START = [0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20]; // CBOR before the 32 bytes of the key
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;

/* The list that the root key has signed and that is newer than the known version, or null. */
function read(signed, root, known, nowMs) {
  try {
    const content = signedContent(signed, root);
    const { version } = content;
    const fits = isSound(content, root) && version > known && version * 1000 <= nowMs + AHEAD;
    return fits ? content : null;
  } catch (error) {
    return null; // no such form at all
  }
}

/* What is signed, if it is by the root key. Throws an Error. */
function signedContent(signed, root) {
  requireThat(hasExactly(signed, ['protected', 'payload', 'signature']));
  const header = JSON.parse(base64url.text(signed.protected));
  requireThat(hasExactly(header, ['alg', 'kid', 'typ']) && header.alg === 'EdDSA' && header.typ === TYPE);
  requireThat(header.kid === kidOf(root));
  const message = Array.from(`${signed.protected}.${signed.payload}`, (letter) => letter.charCodeAt(0));
  requireThat(isSigned(message, base64url.bytes(signed.signature), base64url.bytes(root)));
  return JSON.parse(base64url.text(signed.payload));
}

/* Whether a content has its form, nothing twice, and somebody to recognise where it names anybody. */
function isSound(content, root) {
  if (!hasExactly(content, ['version', 'expires_at', 'issuers']) || !Array.isArray(content.issuers)) return false;
  const made = content.version * 1000;
  const ends = moment(content.expires_at);
  if (!Number.isInteger(content.version) || content.version < 1 || !(ends > made && ends <= made + LONGEST)) return false;
  if (!content.issuers.every(isIssuer)) return false;
  const keys = keysOf(content);
  const lists = [content.issuers.map(({ id }) => id), content.issuers.map(({ region }) => region), keys.map(({ key }) => key.kid)];
  if (lists.some((values) => new Set(values).size < values.length) || keys.some(({ key }) => key.x === root)) return false;
  const inForce = ({ issuer, key }) => issuer.status === 'active' && !key.revoked && (key.until === null || moment(key.until) > made);
  return keys.length === 0 || keys.some(inForce);
}

function isIssuer(issuer) {
  const { id, region, names, status, keys } = issuer;
  const isNamed = hasExactly(names, ['zh', 'en', 'ko']) && Object.keys(names).every((code) => /^\S(.{0,38}\S)?$/.test(names[code]));
  return (
    hasExactly(issuer, ['id', 'region', 'names', 'status', 'keys']) && isNamed && /^[a-z][a-z0-9-]{0,30}$/.test(id) &&
    /^\d{6}$/.test(region) && ['active', 'suspended'].includes(status) && Array.isArray(keys) && keys.length > 0 && keys.every(isKey)
  );
}

function isKey(key) {
  const { revoked, ...rest } = key;
  const since = moment(rest.from);
  const isWhole = hasExactly(rest, ['kid', 'x', 'from', 'until']) && (revoked === undefined || typeof revoked === 'boolean');
  const isOne = /^[A-Za-z0-9_-]{43}$/.test(rest.x) && rest.kid === kidOf(rest.x);
  return isWhole && isOne && (rest.until === null ? !Number.isNaN(since) : since < moment(rest.until));
}

/*
 * What the issuer of a scanned text states: {issuer, state, issuedAt, endsAt}. Throws an Error whose `type` is one of
 * those of token.read, foreign-list-expired, foreign-issuer-suspended or foreign-key-revoked.
 */
function stated(text, list, nowMs) {
  const { kid, state, issuedAt } = token.parse(text);
  const keys = state && list ? keysOf(list) : []; // a card on paper has no state, and nobody here can say whose it is
  const found = keys.find(({ key }) => key.kid === kid);
  if (!found) throw refused('token-unknown-key');
  if (moment(list.expires_at) <= nowMs) throw refused('foreign-list-expired');
  if (found.issuer.status !== 'active') throw refused('foreign-issuer-suspended');
  if (found.key.revoked) throw refused('foreign-key-revoked');
  const said = token.read(text, { keys: [found.key], retired: [] }, nowMs);
  if (issuedAt < moment(found.key.from)) throw refused('token-unknown-key');
  return { issuer: found.issuer, ...said };
}

/* The first 8 hexadecimal digits of the thumbprint of a key (RFC 9679). */
function kidOf(x) {
  const digest = sha256(Uint8Array.from(THUMBPRINT_START.concat(base64url.bytes(x))));
  return Array.from(digest.slice(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function keysOf(list) {
  return list.issuers.reduce((all, issuer) => all.concat(issuer.keys.map((key) => ({ issuer, key }))), []);
}

function hasExactly(value, names) {
  const there = Object.keys(value);
  return there.length === names.length && names.every((name) => there.includes(name));
}

function moment(text) {
  return MOMENT.test(text) ? Date.parse(text) : NaN;
}

function requireThat(holds) {
  if (!holds) throw new Error('no trust list');
}

function refused(type) {
  return Object.assign(new Error(type), { type });
}

module.exports = { read, stated };
