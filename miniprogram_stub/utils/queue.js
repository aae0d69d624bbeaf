/*
 * The checks that were made without network, kept on the phone until the server has answered about each of them.
 *
 * An entry is {id, token, at, celsius, station}: no name, and nothing that the station could read more from; with the
 * temperature of a card on paper also the tail of the document that was shown with it. Its id makes it count once,
 * however often it is sent. What was checked at one station is never sent as another's: it goes with the name of its own,
 * and where the inspector was not there then, it waits until somebody of that station is logged in.
 */
const beijing = require('./beijing.js');
const problems = require('./problems.js');
const storage = require('./storage.js');
const { inspector } = require('./request.js');

const STORED = 'station.queue';
const MOST = 1000; // entries
const BATCH = 50; // entries in a call, so that it stays below the server's largest body
const DONE = ['counted', 'registered', 'known'];
const ELSEWHERE = 'checked-elsewhere';
const NOT_THEIRS = [401, 408, 429]; // refusals of a call that say nothing about its entries
const TOO_LARGE = 413;

function kept() {
  const stored = storage.read(STORED);
  return Array.isArray(stored) ? stored : [];
}

/* What waits, but for what the server has just said is another inspector's. */
function ours() {
  return kept().filter((entry) => !isElsewhere(entry));
}

let refusedBy = ''; // the session in which the server has said so, of these ids
let refusedIds = [];

function isElsewhere({ id }) {
  return refusedBy === inspector.session() && refusedIds.includes(id);
}

function waiting() {
  return ours().length;
}

/* How many wait for somebody of another station. */
function elsewhere() {
  return kept().filter(isElsewhere).length;
}

/* Write a check down. Throws `queue-full` when the phone can keep no more: what is not kept must not be promised. */
function add(token, at, celsius, tail) {
  const entries = kept();
  if (entries.length >= MOST) throw problems.made('queue-full');
  const entry = { id: uuid(), token, at: beijing.stamp(at), celsius, station: inspector.station() };
  if (!storage.write(STORED, entries.concat(tail ? { ...entry, tail } : entry))) throw problems.made('queue-full');
}

function remove(ids) {
  storage.keep(STORED, kept().filter((entry) => !ids.includes(entry.id)));
}

/* Give up what waits of this station. */
function forget() {
  const given = kept().filter((entry) => entry.station === inspector.station());
  remove(given.map((entry) => entry.id));
}

let sending = null;

/* Send what waits; resolves to {sent, refused, waiting}, and never rejects. Two at once are one. */
function send() {
  if (!sending) {
    const done = () => {
      sending = null;
    };
    sending = sendAll();
    sending.then(done, done);
  }
  return sending;
}

async function sendAll() {
  const told = { sent: 0, refused: 0 };
  let size = BATCH;
  let going = waiting() > 0;
  while (going) {
    const entries = ours().slice(0, size);
    try {
      const answer = await inspector.post('/api/v1/checks/offline', { checks: entries.map(asSent) }, { again: true });
      going = settle(entries, answer, told);
    } catch (problem) {
      const smaller = problem.status === TOO_LARGE && entries.length > 1;
      if (smaller) size = Math.ceil(entries.length / 2);
      going = smaller || dropped(entries, problem, told);
    }
    going = going && waiting() > 0;
  }
  return { ...told, waiting: waiting() };
}

function asSent({ id, token, at, celsius, station, tail }) {
  const sent = { id, token, at, celsius };
  if (tail) sent.document_tail = tail;
  if (station !== inspector.station()) sent.station = station;
  return sent;
}

/*
 * Take out what the server has answered about, for every result is final but one: what another inspector has to send
 * stays. False when nothing was answered, so that nobody goes round in circles.
 */
function settle(entries, answer, told) {
  const results = Array.isArray(answer && answer.results) ? answer.results : [];
  const answered = results.filter((one) => one && entries.some((entry) => entry.id === one.id));
  const good = answered.filter((one) => DONE.includes(one.result));
  const final = answered.filter((one) => one.result !== ELSEWHERE);
  leave(answered.filter((one) => one.result === ELSEWHERE).map((one) => one.id));
  remove(final.map((one) => one.id));
  told.sent += good.length;
  told.refused += final.length - good.length;
  return answered.length > 0;
}

/* Send these no more in this session: at their moment its inspector was not at their station. */
function leave(ids) {
  const before = refusedBy === inspector.session() ? refusedIds : [];
  refusedBy = inspector.session();
  refusedIds = [...before, ...ids];
}

/*
 * Take out what a refusal of the whole call names, or the whole batch when it names nothing: the queue goes on.
 * False when the refusal is none of the entries' fault, and they wait.
 */
function dropped(entries, problem, told) {
  const final = problem.status >= 400 && problem.status < 500 && !NOT_THEIRS.includes(problem.status);
  if (!final || problem.type === 'not-our-server') return false;
  const fields = Object.keys(problem.fields);
  const named = entries.filter((entry, index) => fields.some((field) => `${field}_`.startsWith(`checks_${index}_`)));
  const bad = named.length ? named : entries;
  remove(bad.map((entry) => entry.id));
  told.refused += bad.length;
  return true;
}

/* Random enough to tell entries apart, which is all that it is for: no phone lacks Math.random. */
function uuid() {
  const digit = () => Math.floor(Math.random() * 16).toString(16);
  const digits = (count) => Array.from({ length: count }, digit).join('');
  const variant = '89ab'[Math.floor(Math.random() * 4)];
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
}

module.exports = { add, elsewhere, forget, kept, send, waiting };
