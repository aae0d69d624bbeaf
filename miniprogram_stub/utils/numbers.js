/*
 * The numbers that the words of pages quote and that the province decides, such as for how many days a visit is kept.
 *
 * The server says them with the home page. Until a phone has read that once they are the usual ones; a test compares these.
 * Words have the name of a number in braces: {visits_kept_days}.
 */
const storage = require('./storage.js');

const STORED = 'numbers';
const USUAL = {
  alerts_kept_days: 7,
  overlap_hours: 72,
  paper_days: 180,
  password_days: 7,
  strip_hours: 12,
  token_seconds: 60,
  visits_kept_days: 14,
};

/* Keep what a server says; one of before says nothing. */
function note(numbers) {
  if (numbers) storage.keep(STORED, numbers);
}

/* The words of a page with the numbers in them, however deep they are. */
function fill(words) {
  return filled(words, { ...USUAL, ...storage.read(STORED) });
}

function filled(words, numbers) {
  if (typeof words === 'string') return words.replace(/\{(\w+)\}/g, (whole, name) => (name in numbers ? numbers[name] : whole));
  if (Array.isArray(words)) return words.map((one) => filled(one, numbers));
  if (!words || typeof words !== 'object') return words;
  return Object.fromEntries(Object.entries(words).map(([key, one]) => [key, filled(one, numbers)]));
}

module.exports = { note, fill };
