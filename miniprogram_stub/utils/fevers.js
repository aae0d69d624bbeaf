/*
 * The tokens whose holders were found with a fever on this phone, until each token ends: who shows one again is stopped.
 *
 * Kept in the phone's storage, so that a restart forgets none: of a token a hash and its end, which say nothing about
 * anybody. The signature is no part of the hash, because the server does not look at it.
 */
const nacl = require('tweetnacl');
const clock = require('./clock.js');
const storage = require('./storage.js');
const token = require('./token.js');

const STORED = 'station.fevers';
const SKEW = 10 * 1000; // milliseconds in which a token that has ended is still accepted
const BYTES = 16; // of a hash: enough to tell the tokens of a minute apart

/* Note whether the holder of a token has a fever; a normal temperature ends what was noted before. */
function note(text, feverish) {
  const { endsAt, ...parsed } = token.parse(text);
  const hash = hashOf(parsed);
  const others = current().filter((one) => one.hash !== hash);
  if (feverish || others.length < current().length) storage.keep(STORED, feverish ? others.concat({ hash, endsAt }) : others);
}

/* Whether the last temperature that was measured with this token was a fever. */
function has(text) {
  const hash = hashOf(token.parse(text));
  return current().some((one) => one.hash === hash);
}

function current() {
  const stored = storage.read(STORED);
  const now = clock.now();
  return (Array.isArray(stored) ? stored : []).filter(({ endsAt }) => now <= endsAt + SKEW);
}

function hashOf({ bytes, form }) {
  const digest = nacl.hash(Uint8Array.from(bytes.slice(0, form.end)));
  return Array.from(digest.slice(0, BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

module.exports = { note, has };
