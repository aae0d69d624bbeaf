/*
 * What time it is by the server, also while there is no network and when the phone's own clock is wrong.
 *
 * Keeps by how much the server's clock is ahead of the phone's, as the last answer told it. An answer's `as_of` is the
 * clock that counts; the Date header may come from a machine on the way, and is believed until an `as_of` was heard.
 */
const storage = require('./storage.js');
const STORED = 'clock';
const SECOND = 1000;

/* Milliseconds since 1970 by the server's clock. */
function now() {
  return at(Date.now());
}

/* The same for a moment that was read from the phone's clock. */
function at(phoneTime) {
  return phoneTime + kept().ahead;
}

/* Learn from an answer of our server, sent and received at these times of the phone. */
function heard(body, header, sent, received) {
  const middle = (sent + received) / 2;
  const exact = body ? Date.parse(body.as_of) : NaN;
  if (!Number.isNaN(exact)) keep(exact - middle, 'as_of');
  else if (kept().by !== 'as_of') hearDate(header, middle);
}

function hearDate(header, middle) {
  const date = Date.parse(header.date);
  const fromCache = header.age !== undefined;
  if (!Number.isNaN(date) && !fromCache) keep(date + SECOND / 2 - middle, 'date'); // a Date is cut to whole seconds
}

/* Writes only what makes a difference: answers come often, and storage is slow. */
function keep(ahead, by) {
  const known = kept();
  if (known.by === by && Math.abs(ahead - known.ahead) < SECOND) return;
  storage.keep(STORED, { ahead, by });
}

function kept() {
  const stored = storage.read(STORED);
  return stored && Number.isFinite(stored.ahead) ? stored : { ahead: 0, by: '' };
}

module.exports = { now, at, heard };
