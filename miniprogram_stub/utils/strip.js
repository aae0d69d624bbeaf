/*
 * The strip: codes for the coming hours, taken while there is network, of which one is shown while there is none.
 *
 * Each is for a window of minutes and says the color of the time at which the strip was taken. Only who asks for one takes
 * one, and then a newer one hourly with the code: a crowd that opens its codes would ask twice otherwise. Goes with the
 * account: utils/request.js forgets it where somebody logs out.
 */
const clock = require('./clock.js');
const problems = require('./problems.js');
const storage = require('./storage.js');
const { citizen } = require('./request.js');
const { STRIP } = require('./sending.js');

const RENEW = 60 * 60 * 1000; // milliseconds after which another one is taken

/* Take a strip. Rejects with a problem: `strip-unkept` where the phone is full, for a strip is there to be kept. */
async function take() {
  if (!storage.keep(STRIP, await citizen.get('/api/v1/code/strip'))) throw problems.made('strip-unkept');
}

/* Take a newer one where there is one that is not recent; never rejects, for the code itself is on the screen. */
async function refresh() {
  const kept = read();
  if (!kept || Math.abs(clock.now() - Date.parse(kept.as_of)) < RENEW) return;
  try {
    await take();
  } catch (problem) {
    // the next opening of the code takes one
  }
}

/* {token, state, color, word, asOf, endsAt} of the window of now, or null; times in milliseconds. */
function current() {
  const kept = read();
  const now = clock.now();
  const one = kept && kept.strip.find((window) => Date.parse(window.begins_at) <= now && now < Date.parse(window.ends_at));
  if (!one) return null;
  const { state, color, word } = kept;
  return { token: one.token, state, color, word, asOf: kept.as_of, endsAt: Date.parse(one.ends_at) };
}

function read() {
  const kept = storage.read(STRIP);
  return kept && Array.isArray(kept.strip) ? kept : null;
}

module.exports = { take, refresh, current };
