/*
 * The end of the service, as this phone knows it: what is announced, and that it has ended.
 *
 * Once the server has said that the service is ended, nothing that could show a color stays on this phone: code, strip,
 * keys of a station, sessions. Without network it is said all the same, until a server answers otherwise.
 */
const settings = require('./settings.js');
const storage = require('./storage.js');

const ANNOUNCED = 'service.announced';
const ENDED = 'service.ended';

/* Keep what the server says is announced, or forget it: {title, advice, notice} or null. */
function note(announced) {
  if (announced && typeof announced.title === 'string') storage.keep(ANNOUNCED, announced);
  else storage.forget(ANNOUNCED);
}

/* What is announced, null while nothing is. */
function announced() {
  return storage.read(ANNOUNCED) || null;
}

/* Forget everything but how this phone wants to read. */
function forgetAll() {
  const kept = settings.read();
  storage.forgetAll();
  settings.change(kept);
  storage.keep(ENDED, true);
}

function isEnded() {
  return Boolean(storage.read(ENDED));
}

/* A server answers as ever: the service is there again. */
function goesOn() {
  if (isEnded()) storage.forget(ENDED);
}

module.exports = { note, announced, forgetAll, isEnded, goesOn };
