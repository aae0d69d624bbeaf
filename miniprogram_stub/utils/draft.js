/*
 * An unfinished declaration, kept on this phone so that nothing is typed twice when it dies.
 *
 * It is about somebody's health: it belongs to the account that began it, is forgotten after a day, when it is sent
 * and when its owner logs out, and never leaves the phone.
 */
const storage = require('./storage.js');
const STORED = 'declaration.draft';
const KEPT = 24 * 60 * 60 * 1000; // milliseconds

/* The draft of this account, or null. */
function read(account, now) {
  const kept = storage.read(STORED);
  if (!kept) return null;
  if (kept.owner === owner(account) && now - kept.at < KEPT && now >= kept.at) return kept.answers;
  clear();
  return null;
}

function keep(account, answers, now) {
  storage.keep(STORED, { owner: owner(account), answers, at: now });
}

function clear() {
  storage.forget(STORED);
}

/* What tells accounts apart, from what is shown of each: a user name alone does not, for not everybody has one. */
function owner({ username = '', name = '', document_number: number = '' }) {
  return [username, name, number].join(' ');
}

module.exports = { read, keep, clear };
