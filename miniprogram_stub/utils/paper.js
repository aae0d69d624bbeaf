/*
 * A card on paper before an inspector: its text goes from the scan to the page that asks for the document, and no further.
 *
 * It is checked with network only: without, nobody can say whose it is.
 */
const clock = require('./clock.js');
const { inspector } = require('./request.js');

const PREFIX = 'JX2:';
const AT_THE_DOOR = 8000; // milliseconds

let scanned = '';

function isPaper(text) {
  return typeof text === 'string' && text.startsWith(PREFIX);
}

function keep(text) {
  scanned = text;
}

/* Check the kept card with the tail of a document, and with a temperature where one was measured. */
async function check(tail, celsius) {
  const path = celsius === null ? '/api/v1/checks/paper' : '/api/v1/checks/paper/temperature';
  const data = { token: scanned, document_tail: tail };
  if (celsius !== null) data.celsius = celsius;
  const { state, color, word, action, instruction, stale, as_of: asOf } = await inspector.post(path, data, { timeout: AT_THE_DOOR });
  return { offline: false, state, color, word, action, instruction, stale, asOf: Date.parse(asOf) || clock.now() };
}

module.exports = { isPaper, keep, check, isKept: () => scanned !== '' };
