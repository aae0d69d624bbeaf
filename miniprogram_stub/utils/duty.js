/*
 * The inspector's work: check a code, register a temperature, with network and without.
 *
 * With network the server answers, and its answer counts. Without, the token is read by the keys kept on the phone, and
 * what was done waits in utils/queue.js. Keeps no trace of who passed but the tokens that wait there, and hashes of those
 * with a fever (utils/fevers.js), who are stopped also where the color does not tell it yet.
 */
const beijing = require('./beijing.js');
const clock = require('./clock.js');
const ending = require('./ending.js');
const fevers = require('./fevers.js');
const foreign = require('./foreign.js');
const { judge, stopFeverish } = require('./judging.js');
const problems = require('./problems.js');
const queue = require('./queue.js');
const revoked = require('./revoked.js');
const storage = require('./storage.js');
const { inspector, open } = require('./request.js');
const token = require('./token.js');

const KEYS = 'station.keys';
const TODAY = 'station.today';
const RECEIPT = 'JX5:'; // of who has scanned a venue code
const FEVER = 37.3; // degrees Celsius, until the server has said
const RENEW = 5 * 60 * 1000; // milliseconds after which keys and counts are asked for again
const OLDEST = 24 * 60 * 60 * 1000; // of keys that may still verify
const GRACE = 10 * 60 * 1000; // between scan and temperature, as the server takes it
const ONCE = 60 * 1000; // in which one token counts once
const AT_THE_DOOR = 4000; // milliseconds that somebody who waits to pass is kept waiting
const LOWEST = 34.0;
const HIGHEST = 43.0;

/* Answers that leave the server's own word unknown, and the work to the phone. */
const NOT_THE_SERVER = ['not-our-server', 'answer-too-large'];

let reachable = true; // while it is not, nobody waits: the phone decides, and the server is asked behind
let probing = false;

/*
 * Check a scanned text: {offline, state, color, word, action, instruction, asOf, stale}; asOf in milliseconds, offline
 * the token's time of issue. Of a code of another province also `issuer`: state and color are that issuer's statement.
 * Rejects with a problem: token-…, foreign-…, session-…, no-keys, keys-too-old, queue-full.
 */
async function check(scanned) {
  const text = token.trim(scanned);
  if (isReceipt(text)) return checkReceipt(text);
  readable(() => token.parse(text)); // what is no code of ours is nobody's business, and stays on the phone
  const result = (await ask('/api/v1/checks', { token: text }, !canVerify())) || checkOffline(text);
  return fevers.has(text) ? stopFeverish(result) : result;
}

/*
 * Register a temperature for a text that was scanned at a time of this phone (Date.now()); the answer is as of `check`.
 *
 * A temperature whose answer got lost may have arrived. It is queued all the same: the same value twice changes no
 * color, and a fever that nobody registered would.
 */
async function measure(scanned, celsius, scannedAt = Date.now()) {
  refuseOdd(celsius);
  const text = token.trim(scanned);
  if (isReceipt(text)) throw problems.made('receipt-no-temperature');
  readable(() => token.parse(text));
  fevers.note(text, celsius >= feverCelsius()); // on this phone at once, wherever the temperature goes
  const answer = await ask('/api/v1/checks/temperature', { token: text, celsius }, false);
  const result = answer || measureOffline(text, celsius, scannedAt);
  return fevers.has(text) ? stopFeverish(result) : result;
}

function isReceipt(text) {
  return typeof text === 'string' && text.startsWith(RECEIPT);
}

/* A receipt of a venue code is good once, which only the server knows. */
async function checkReceipt(text) {
  try {
    return await online('/api/v1/checks', { token: text }, false);
  } catch (problem) {
    throw unanswered(problem) ? problems.made('receipt-offline') : problem;
  }
}

/*
 * The server's answer, or null where the phone has to decide: at once while the server is away, and otherwise after one
 * time-out. Rejects with the server's refusal. Without keys nothing can be decided, and the server is always waited for.
 */
async function ask(path, data, again) {
  if (!reachable && canVerify()) {
    probe(data.token);
    return null;
  }
  try {
    return await online(path, data, again);
  } catch (problem) {
    if (!unanswered(problem)) throw problem;
    return null;
  }
}

/* See behind the inspector's work whether the server answers again, by a check: each token counts once at a station. */
async function probe(text) {
  if (probing) return;
  probing = true;
  try {
    await online('/api/v1/checks', { token: text }, false);
  } catch (problem) {
    // `online` has noted what it means
  } finally {
    probing = false;
  }
}

function checkOffline(text) {
  const now = clock.now();
  const read = readOffline(text, now);
  count(text, now);
  return outcome(read, null);
}

function measureOffline(text, celsius, scannedAt) {
  const now = clock.now();
  const read = readOffline(text, Math.min(clock.at(scannedAt), now));
  if (now - read.endsAt > GRACE) throw problems.made('token-expired');
  if (!read.issuer) queue.add(text, now, celsius); // of somebody whose code is not ours nothing is registered
  return outcome(read, celsius);
}

async function online(path, data, again) {
  try {
    const answer = await inspector.post(path, data, { again, timeout: AT_THE_DOOR });
    reachable = true;
    return read(answer);
  } catch (problem) {
    reachable = !unanswered(problem);
    throw problem;
  }
}

/* The result in an answer of the server. */
function read(answer) {
  const { state, color, word, action, instruction, stale, issuer } = answer;
  const result = { offline: false, state, color, word, action, instruction, asOf: Date.parse(answer.as_of), stale };
  return issuer ? { ...result, issuer } : result;
}

function unanswered(problem) {
  return problem.passing || NOT_THE_SERVER.includes(problem.type);
}

function canVerify() {
  const kept = storage.read(KEYS);
  return Boolean(kept) && Math.abs(clock.now() - kept.at) <= OLDEST;
}

/* What the token says, by the keys on this phone. Throws the problem of the keys, or why the token is not good. */
function readOffline(text, at) {
  const kept = storage.read(KEYS);
  if (!kept) throw problems.made('no-keys');
  if (!canVerify()) throw problems.made('keys-too-old');
  return readable(() => {
    try {
      return token.read(text, kept.set, at);
    } catch (error) {
      if (error.type !== 'token-unknown-key' || isOurs(kept.set, text)) throw error;
      return foreign.stated(text, at);
    }
  });
}

/* Whether a text names a key of ours, which the trust list then says nothing about. */
function isOurs(set, text) {
  const { kid } = token.parse(text);
  return set.keys.concat(set.retired || []).some((key) => key.kid === kid);
}

function readable(read) {
  try {
    return read();
  } catch (error) {
    throw error.type ? problems.made(error.type) : error;
  }
}

function outcome(read, celsius) {
  if (read.issuer) return foreign.judge(read, celsius, { feverCelsius: feverCelsius(), actions: foreignActions() });
  return { offline: true, ...judge(read.state, celsius, feverCelsius()), asOf: read.issuedAt, stale: false };
}

function refuseOdd(celsius) {
  const inRange = Number.isFinite(celsius) && celsius >= LOWEST && celsius <= HIGHEST;
  if (inRange && Number(celsius.toFixed(1)) === celsius) return;
  throw problems.made('invalid-request', { fields: { celsius: problems.title('temperature-form') } });
}

let counted = []; // {token, at} of the last minute: the queue may have been sent meanwhile

/* Queue a check to be counted; the same code twice within a minute is one person. */
function count(text, now) {
  if (countedJustNow(text, now)) return;
  queue.add(text, now, null);
  counted.push({ token: text, at: now });
}

function countedJustNow(text, now) {
  const recent = ({ at }) => Math.abs(now - at) < ONCE;
  const waiting = queue.kept().filter((entry) => entry.celsius === null);
  counted = counted.filter(recent);
  const kept = waiting.map((entry) => ({ token: entry.token, at: Date.parse(entry.at) })).filter(recent);
  return counted.concat(kept).some((one) => one.token === text);
}

/* --- what is fetched while there is network ------------------------------------------------------------------- */

/* Fetch the counts, keys older than five minutes and the list of lost cards; never rejects, for the work goes on with what is kept. */
async function refresh() {
  try {
    await refreshKeys();
    await foreign.refresh().catch(() => {}); // where no list is published, the keys are enough
    if (!inspector.station()) return;
    await refreshToday();
    const kept = storage.read(KEYS);
    if (kept) await revoked.refresh(kept.set);
  } catch (problem) {
    // the next check tells of it, if it matters then
  }
}

async function refreshKeys() {
  const kept = storage.read(KEYS);
  if (kept && Math.abs(clock.now() - kept.at) < RENEW) return;
  const set = await open('/.well-known/jixiang-keys');
  if (isKeySet(set)) storage.keep(KEYS, { set, at: clock.now() });
}

async function refreshToday() {
  const { station, passed, measured, stopped, temperatures, ...rest } = await inspector.get('/api/v1/stations/today');
  ending.note(rest.ending);
  reachable = true; // the server has answered
  const asOf = Date.parse(rest.as_of);
  if (!Number.isFinite(asOf)) return;
  const counts = { station, passed, measured, stopped, temperatures, outsideHours: Boolean(rest.outside_hours), hours: rest.hours || '' };
  storage.keep(TODAY, { ...counts, feverCelsius: rest.fever_celsius, foreignActions: rest.foreign_actions || null, asOf });
}

function isKeySet(set) {
  const isKey = (key) => Boolean(key) && typeof key.kid === 'string' && typeof key.x === 'string';
  return Array.isArray(set.keys) && set.keys.every(isKey);
}

/* The counts of this station's day as last known, asOf in milliseconds; null when there are none. */
function today() {
  const kept = storage.read(TODAY);
  const ours = kept && kept.station === inspector.station() && beijing.day(kept.asOf) === beijing.day(clock.now());
  if (!ours) return null;
  const { foreignActions: hidden, ...counts } = kept;
  return { ...counts, feverCelsius: feverCelsius() };
}

function feverCelsius() {
  const { feverCelsius: kept } = storage.read(TODAY) || {};
  return Number.isFinite(kept) ? kept : FEVER;
}

function foreignActions() {
  return (storage.read(TODAY) || {}).foreignActions || null;
}

/* The end of a shift: counts and whatever still waits are no longer this phone's business. Keys are public and stay. */
function forget() {
  storage.forget(TODAY);
  queue.forget();
}

module.exports = {
  AT_THE_DOOR, check, measure, ask, read, readOffline, readable, count, refuseOdd, feverCelsius, refresh, today, forget,
  elsewhere: queue.elsewhere, waiting: queue.waiting, send: queue.send,
};
