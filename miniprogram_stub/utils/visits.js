/*
 * Visits: where the code of an entrance was scanned with this phone, kept on this phone alone.
 *
 * A venue code names an entrance; the server answers a scan with a receipt for a minute and stores neither. Each visit goes
 * after the days that the server says, and all of them with the account: utils/request.js forgets them.
 */
const clock = require('./clock.js');
const problems = require('./problems.js');
const storage = require('./storage.js');
const token = require('./token.js');
const { citizen } = require('./request.js');
const { VISITS } = require('./sending.js');

const VENUE_CODE = 'JX4:';
const DAY = 24 * 60 * 60 * 1000; // milliseconds
const MOST = 1000; // visits that a phone keeps, the newest

/* The server's receipt for a scanned text, whose visit is kept. Rejects with a problem; what is no venue code stays here. */
async function scan(text) {
  const code = token.trim(text);
  if (typeof code !== 'string' || !code.startsWith(VENUE_CODE)) throw problems.made('venue-code-wrong');
  const receipt = await citizen.post('/api/v1/visits/receipts', { code });
  const { venue, place, name, entrance, at, kept_days: days } = receipt;
  const ends = Date.parse(at) + days * DAY;
  const others = list().filter((one) => one.place !== place || one.at !== at); // one of a minute
  storage.keep(VISITS, [{ venue, place, name, entrance, at, ends }, ...others].slice(0, MOST));
  return receipt;
}

/* The visits that are kept, the newest first. */
function list() {
  const kept = storage.read(VISITS);
  return Array.isArray(kept) ? kept.filter(({ ends }) => ends > clock.now()) : [];
}

/* Forget one visit, or all. */
function forget(visit) {
  replace(visit ? list().filter((one) => one.place !== visit.place || one.at !== visit.at) : []);
}

/* Forget those whose days are over; to call once a server has said what time it is, for what is gone is gone. */
function forgetEnded() {
  const kept = storage.read(VISITS);
  const left = list();
  if (kept && left.length < kept.length) replace(left);
}

function replace(left) {
  if (left.length) storage.replace(VISITS, left);
  else storage.forget(VISITS);
}

module.exports = { scan, list, forget, forgetEnded };
