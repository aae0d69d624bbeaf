/*
 * Exposure notices: the server's signed list of venues and intervals, compared on this phone with the visits that it keeps.
 *
 * What fits is shown and goes nowhere: nobody learns that this phone asked about a place, for all phones fetch one list.
 * A list that is not signed by a published key, or older than the one that is kept, changes nothing.
 */
const base64url = require('./base64url.js');
const clock = require('./clock.js');
const storage = require('./storage.js');
const visits = require('./visits.js');
const { find, isSigned } = require('./keys.js');
const { open } = require('./request.js');

const LIST = 'exposures';
const ASKED = 'exposures.asked'; // when
const TYPE = 'jixiang-exposures';
const HOUR = 3600000; // milliseconds
const OLD = 24 * HOUR;

/* Fetch the list, at most hourly and only where there are visits to compare; never rejects. */
async function refresh() {
  if (!visits.list().length || Math.abs(clock.now() - (storage.read(ASKED) || 0)) < HOUR) return;
  try {
    const signed = await open('/api/v1/visits/exposures');
    const content = read(signed, await open('/.well-known/jixiang-keys'), clock.now());
    if (!content) return;
    storage.keep(ASKED, clock.now());
    storage.keep(LIST, content);
  } catch (problem) {
    // asked again with the next page
  }
}

/* What is signed by a published key, as of a moment of the last day and no earlier than the kept one; or null. */
function read(signed, keySet, nowMs) {
  try {
    const { alg, kid, typ } = JSON.parse(base64url.text(signed.protected));
    const content = JSON.parse(base64url.text(signed.payload));
    const asOf = Date.parse(content.as_of);
    const key = find(keySet.keys, kid, asOf);
    const message = Array.from(`${signed.protected}.${signed.payload}`, (letter) => letter.charCodeAt(0));
    const isOurs = alg === 'EdDSA' && typ === TYPE && key && isSigned(message, base64url.bytes(signed.signature), key);
    const kept = storage.read(LIST);
    const isNewest = Math.abs(nowMs - asOf) < OLD && !(kept && Date.parse(kept.as_of) > asOf);
    return isOurs && isNewest && Array.isArray(content.notices) ? content : null;
  } catch (error) {
    return null; // no such form at all
  }
}

/* The notices that a kept visit falls into: {name, reason, begins_at, ends_at, at}, the newest visit first. */
function matches() {
  const kept = storage.read(LIST);
  const notices = ((kept && kept.notices) || []).filter(({ until }) => Date.parse(until) > clock.now());
  return visits.list().reduce((found, { venue, name, at }) => {
    const moment = Date.parse(at);
    const fits = notices.filter((one) => one.venue === venue && Date.parse(one.begins_at) <= moment && moment < Date.parse(one.ends_at));
    return found.concat(fits.map(({ reason, begins_at: begins, ends_at: ends }) => ({ name, at, reason, begins, ends })));
  }, []);
}

module.exports = { refresh, read, matches };
