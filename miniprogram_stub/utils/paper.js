/*
 * A card on paper before an inspector: its text goes from the scan to the page that asks for the document.
 *
 * With network the server says whose color it is. Without, the card is read by the kept keys and asked of the kept list of
 * those that were reported lost (utils/revoked.js): it has no color, so its holder is measured. What was done waits in
 * utils/queue.js, with the tail of the document only where a temperature has to find its person.
 */
const clock = require('./clock.js');
const duty = require('./duty.js');
const { judgeCard } = require('./judging.js');
const problems = require('./problems.js');
const queue = require('./queue.js');
const revoked = require('./revoked.js');
const token = require('./token.js');

const PREFIX = 'JX2:';
const TAIL = /^[0-9A-Za-z]{4}$/;
const OLD = 24 * 60 * 60 * 1000; // milliseconds after which it is said that a list is old

let scanned = '';

function isPaper(text) {
  return typeof text === 'string' && token.trim(text).startsWith(PREFIX);
}

function keep(text) {
  scanned = token.trim(text);
}

/*
 * Check the kept card with the tail of a document, and with a temperature where one was measured; a result as of duty.check.
 * Offline it has no state, and `list`: {asOf, old} of the list of lost cards, or null without one.
 */
async function check(tail, celsius) {
  const text = scanned;
  duty.readable(() => token.parse(text)); // what is no card of ours stays on the phone
  if (celsius !== null) duty.refuseOdd(celsius);
  const path = celsius === null ? '/api/v1/checks/paper' : '/api/v1/checks/paper/temperature';
  const data = { token: text, document_tail: tail };
  if (celsius !== null) data.celsius = celsius;
  const answer = await duty.ask(path, data, false);
  return answer || checkOffline(text, tail, celsius);
}

async function checkOffline(text, tail, celsius) {
  if (!TAIL.test(tail)) {
    throw problems.made('invalid-request', { fields: { document_tail: problems.title('document-tail-form') } });
  }
  const now = clock.now();
  const { number, issuedAt } = readCard(text, now);
  const list = await revoked.current();
  if (celsius === null) duty.count(text, now);
  else queue.add(text, now, celsius, tail);
  const judged = judgeCard(Boolean(list) && list.mayList(number), celsius, duty.feverCelsius());
  const told = list && { asOf: list.madeAt, old: now - list.madeAt > OLD };
  return { offline: true, ...judged, asOf: issuedAt, list: told, stale: false };
}

function readCard(text, now) {
  try {
    return duty.readOffline(text, now);
  } catch (problem) {
    throw problem.type === 'token-expired' ? problems.made('paper-over') : problem;
  }
}

module.exports = { isPaper, keep, check, isKept: () => scanned !== '' };
