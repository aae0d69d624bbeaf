/* The inspector's work with network and without, against a fake WeChat and the tokens of the test vectors. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { afterEach, beforeEach, mock, test } = require('node:test');

const { fakeWx, fresh, ok, problem } = require('./fake_wx.js');

const FILE = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'tokens.json'), 'utf8'));
const ISSUED = Date.parse('2020-03-20T12:00:00+08:00');
const START = ISSUED + 30000; // half-way through the minute of the tokens
const HOUR = 60 * 60 * 1000;
const KEYS = FILE.key_sets['two-keys'];
const CHECKS = '/api/v1/checks';
const OFFLINE = '/api/v1/checks/offline';
const REVOKED = '/.well-known/jixiang-revoked';

const named = (name) => FILE.vectors.find((vector) => vector.name === name).text;
const token = (state) => named(`a good token, ${state}`);
const GREEN = token('GREEN');

const ONLINE = {
  state: 'ORANGE', color: 'ORANGE', word: '橙码', action: 'stop', instruction: '不得通行', as_of: '2020-03-20T12:00:30+08:00',
  stale: false,
};
const TODAY = {
  station: '长春站', date: '2020-03-20', passed: 7, measured: 2, stopped: 1, temperatures: 2, fever_celsius: 37.0,
  as_of: '2020-03-20T12:00:30+08:00',
};

beforeEach(() => {
  mock.timers.enable({ apis: ['Date'], now: START });
  mock.method(global, 'setTimeout', (what) => setImmediate(what));
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/* An inspector who is logged in, with keys on the phone unless the test takes them away. */
function start(...answers) {
  const phone = fakeWx(...answers);
  Object.assign(phone.stored, {
    'station.session': 'shift', 'station.name': '长春站', 'station.keys': { set: KEYS, at: START },
  });
  return { phone, duty: fresh('utils/duty.js') };
}

/* The same, away from every network. */
function startOffline() {
  const started = start();
  started.phone.server = () => 'no network';
  return started;
}

function queue(phone) {
  return phone.stored['station.queue'] || [];
}

function paths(phone) {
  return phone.sent.map((call) => new URL(call.url).pathname);
}

/* As many entries as are asked for, without a scan for each. */
function fill(phone, count) {
  phone.stored['station.queue'] = Array.from({ length: count }, (_, index) => ({
    id: `entry-${index}`, token: GREEN, at: '2020-03-20T12:00:30+08:00', celsius: 36.5, station: '长春站',
  }));
}

/* A server that takes the queue and does not answer checks. */
function answering(result) {
  const results = ({ checks }) => checks.map(({ id }, index) => ({ id, result: result(index) }));
  return (call) => (call.url.endsWith(OFFLINE) ? ok({ results: results(call.data) }) : 'no network');
}

/* Once what was sent behind somebody's work has its answer. */
function settled() {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/* --- with network -------------------------------------------------------------------------------------------- */

test('with network the server answers, and its answer counts whatever the token says', async () => {
  const { phone, duty } = start(ok(ONLINE));
  assert.deepEqual(await duty.check(GREEN), {
    offline: false, state: 'ORANGE', color: 'ORANGE', word: '橙码', action: 'stop', instruction: '不得通行',
    asOf: START, stale: false,
  });
  assert.deepEqual(phone.sent[0].data, { token: GREEN });
  assert.deepEqual(paths(phone), [CHECKS]);
  assert.equal(duty.waiting(), 0);
});

test('nobody at a door waits longer than four seconds for one attempt', async () => {
  const { phone, duty } = start(ok(ONLINE));
  await duty.check(GREEN);
  assert.equal(phone.sent[0].timeout, 4000);
});

test('what is no code of ours never leaves the phone', async () => {
  for (const name of ['5,000 characters', 'a web address', 'Chinese', 'empty', 'the prefix of another system']) {
    const { phone, duty } = start();
    await assert.rejects(duty.check(named(name)), { type: 'token-malformed', title: '这不是吉祥码' });
    await assert.rejects(duty.measure(named(name), 36.5), { type: 'token-malformed' });
    assert.equal(phone.sent.length, 0);
  }
});

test('a refusal of the server is told, and nothing is judged in its place', async () => {
  const refusals = { 'token-expired': 410, 'token-forged': 422, 'session-expired': 401, 'not-declared': 404 };
  for (const [type, status] of Object.entries(refusals)) {
    const { duty } = start(problem(status, type));
    await assert.rejects(duty.check(GREEN), { type, status });
    assert.equal(duty.waiting(), 0);
  }
});

test('a temperature goes to the server once, with the token that was scanned', async () => {
  const { phone, duty } = start(ok({ ...ONLINE, state: 'YELLOW', action: 'measure' }));
  const told = await duty.measure(GREEN, 37.5, START);
  assert.deepEqual(phone.sent[0].data, { token: GREEN, celsius: 37.5 });
  assert.deepEqual([told.offline, told.state, told.action], [false, 'YELLOW', 'stop']);
  assert.deepEqual(paths(phone), ['/api/v1/checks/temperature']);
});

test('a temperature that is none is told at its field, and goes nowhere', async () => {
  for (const celsius of [33.9, 43.1, 36.55, NaN, Infinity, '36.5', null, undefined]) {
    const { phone, duty } = start();
    const told = (refused) => refused.type === 'invalid-request' && refused.fields.celsius.includes('34.0–43.0');
    await assert.rejects(duty.measure(GREEN, celsius, START), told);
    assert.equal(phone.sent.length, 0);
  }
});

/* --- without network ----------------------------------------------------------------------------------------- */

const JUDGED = { GREEN: 'pass', UNVERIFIED: 'measure', YELLOW: 'measure', ORANGE: 'stop', RED: 'stop' };
for (const [state, action] of Object.entries(JUDGED)) {
  test(`without network ${state} means ${action}, as of the token's second of issue`, async () => {
    const { phone, duty } = startOffline();
    const told = await duty.check(token(state));
    const { offline, color, asOf } = told;
    const expected = [true, state, state === 'UNVERIFIED' ? null : state, action, ISSUED];
    assert.deepEqual([offline, told.state, color, told.action, asOf], expected);
    assert.ok(told.word && told.instruction);
    const [entry] = queue(phone);
    assert.match(queue(phone)[0].id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const { id, ...rest } = entry;
    assert.deepEqual(rest, { token: token(state), at: '2020-03-20T12:00:30+08:00', celsius: null, station: '长春站' });
  });
}

const SLOW_DOWN = problem(429, 'too-many-requests');
const UNANSWERED = ['no network', 'timeout', problem(500, 'internal'), problem(503, 'unavailable'), SLOW_DOWN];
const STRANGE = [ok('<html>log in</html>'), ok({}, { 'Content-Length': '5000000' })];
for (const answer of [...UNANSWERED, ...STRANGE]) {
  test(`the phone judges by itself after ${JSON.stringify(answer).slice(0, 60)}`, async () => {
    const { phone, duty } = start();
    phone.server = () => answer;
    assert.equal((await duty.check(GREEN)).offline, true);
    assert.equal(duty.waiting(), 1);
  });
}

test('after one time-out the phone decides, and then nobody waits for the server', async () => {
  const { phone, duty } = start('timeout');
  assert.equal((await duty.check(GREEN)).offline, true);
  assert.equal(phone.sent.length, 1);
  phone.server = () => 'silence';
  assert.equal((await duty.check(token('RED'))).action, 'stop');
  assert.equal((await duty.measure(GREEN, 36.5, START)).action, 'pass');
  assert.deepEqual([phone.sent.length, duty.waiting()], [2, 3], 'one call behind stands for all');
});

test('the server is asked behind each check until it answers again, and then its word counts', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  await duty.check(GREEN);
  await settled();
  phone.answers.push(ok(ONLINE));
  assert.equal((await duty.check(GREEN)).offline, true);
  await settled();
  assert.deepEqual(paths(phone), [CHECKS, CHECKS, CHECKS]);
  phone.answers.push(ok(ONLINE));
  assert.deepEqual([(await duty.check(GREEN)).offline, phone.sent.length], [false, 4]);
});

test('a refusal is an answer, too, and so are the counts', async () => {
  for (const answer of [problem(404, 'not-declared'), ok(TODAY)]) {
    const { phone, duty } = startOffline();
    await duty.check(GREEN);
    phone.server = () => answer;
    if (answer.statusCode === 200) await duty.refresh();
    else await duty.check(GREEN);
    await settled();
    phone.server = () => ok(ONLINE);
    assert.equal((await duty.check(GREEN)).offline, false);
  }
});

test('a check is on the phone before its result is seen, and one that cannot be kept has none', async () => {
  const { phone, duty } = startOffline();
  phone.full = true;
  await assert.rejects(duty.check(GREEN), { type: 'queue-full' });
  await assert.rejects(duty.measure(GREEN, 36.5, START), { type: 'queue-full' });
});

test('the phone keeps a thousand checks and then says so', async () => {
  const { phone, duty } = startOffline();
  fill(phone, 999);
  await duty.check(GREEN);
  assert.equal(duty.waiting(), 1000);
  await assert.rejects(duty.check(token('RED')), { type: 'queue-full', title: '本机待上传的查验记录已满' });
  assert.equal(duty.waiting(), 1000);
});

test('what a broken phone left in place of the queue is no queue', async () => {
  const { phone, duty } = startOffline();
  phone.stored['station.queue'] = 'nonsense';
  assert.equal(duty.waiting(), 0);
  await duty.check(GREEN);
  assert.equal(duty.waiting(), 1);
});

test('without network a bad token is refused for its own reason and not kept', async () => {
  const reasons = { 'changed: red turned green': 'token-forged', 'the token of another system': 'token-unknown-key' };
  const { phone, duty } = startOffline();
  for (const [name, type] of Object.entries(reasons)) {
    await assert.rejects(duty.check(named(name)), (told) => told.type === type && told.way !== '');
  }
  await assert.rejects(duty.check(named('a token of the key that follows')), { type: 'token-not-yet-valid' });
  mock.timers.tick(41000); // eleven seconds after its end
  await assert.rejects(duty.check(GREEN), { type: 'token-expired' });
  assert.deepEqual(queue(phone), []);
});

test('keys of 24 hours still verify, older ones do not, and without any nothing can be said', async () => {
  const { phone, duty } = startOffline();
  const kept = (at) => {
    phone.stored['station.keys'] = { set: KEYS, at };
  };
  kept(START - 24 * HOUR);
  await duty.check(GREEN);
  kept(START - 24 * HOUR - 1);
  await assert.rejects(duty.check(GREEN), { type: 'keys-too-old', passing: false });
  kept(START + 24 * HOUR + 1);
  await assert.rejects(duty.check(GREEN), { type: 'keys-too-old' }, 'a clock that was put back proves nothing');
  delete phone.stored['station.keys'];
  await assert.rejects(duty.check(GREEN), (told) => told.type === 'no-keys' && told.way !== '');
});

test('one token counts once in a minute, also when the queue was sent in between', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  mock.timers.tick(20000);
  assert.equal((await duty.check(GREEN)).action, 'pass');
  assert.equal(duty.waiting(), 1);
  phone.server = answering(() => 'counted');
  await duty.send();
  phone.server = () => 'no network';
  await duty.check(GREEN);
  assert.equal(duty.waiting(), 0);
  await duty.check(token('RED'));
  assert.equal(duty.waiting(), 1);
});

test('a token that was counted before the phone was put away counts once, too', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  const again = fresh('utils/duty.js');
  await again.check(GREEN);
  assert.equal(queue(phone).length, 1);
});

test('a token counts again when a minute has gone by', async () => {
  const { phone, duty } = startOffline();
  mock.timers.setTime(ISSUED - 10000);
  await duty.check(GREEN);
  mock.timers.tick(60000);
  await duty.check(GREEN);
  assert.equal(queue(phone).length, 2);
});

/* --- a fever ------------------------------------------------------------------------------------------------- */

const PASSES = { ...ONLINE, state: 'GREEN', color: 'GREEN', word: '绿码', action: 'pass' };
const FEVERISH = /体温异常，不得通行/;

test('who was found with a fever without network stays stopped until the token ends, also after a restart', async () => {
  const { phone, duty } = startOffline();
  assert.equal((await duty.measure(GREEN, 38.2, START)).action, 'stop');
  const rescanned = async (module) => {
    const { state, action, instruction } = await module.check(GREEN);
    assert.deepEqual([state, action], ['GREEN', 'stop']);
    assert.match(instruction, FEVERISH);
  };
  await rescanned(duty);
  await rescanned(fresh('utils/duty.js'));
  mock.timers.setTime(ISSUED + 70000); // its end, and the difference of clocks
  await rescanned(fresh('utils/duty.js'));
  mock.timers.tick(1);
  await assert.rejects(duty.check(GREEN), { type: 'token-expired' });
  assert.equal((await fresh('utils/duty.js').check(token('YELLOW')).catch((told) => told)).type, 'token-expired');
  assert.ok(!JSON.stringify(phone.stored['station.fevers']).includes(GREEN.slice(4, 40)), 'no token is kept for it');
});

test('with network, too: the server may not have heard of the fever yet, and may be away after it has', async () => {
  const { phone, duty } = start('no network');
  await duty.measure(GREEN, 38.2, START);
  const again = fresh('utils/duty.js'); // which takes the server for there
  phone.answers.push(ok(PASSES));
  const told = await again.check(GREEN);
  assert.deepEqual([told.offline, told.state, told.action], [false, 'GREEN', 'stop']);
  assert.match(told.instruction, FEVERISH);
  const other = start(ok({ ...ONLINE, state: 'YELLOW', color: 'YELLOW', word: '黄码', action: 'measure' }));
  assert.equal((await other.duty.measure(GREEN, 38.2, START)).action, 'stop');
  other.phone.server = () => 'no network';
  assert.equal((await other.duty.check(GREEN)).action, 'stop');
});

test('a fever stops nobody else, a normal temperature ends it, and red stays red', async () => {
  const { phone, duty } = startOffline();
  await duty.measure(token('RED'), 38.2, START);
  assert.doesNotMatch((await duty.check(token('RED'))).instruction, FEVERISH);
  assert.equal((await duty.check(GREEN)).action, 'pass');
  await duty.measure(GREEN, 38.2, START);
  await duty.measure(GREEN, 36.6, START);
  assert.equal((await duty.check(GREEN)).action, 'pass');
  assert.equal(phone.stored['station.fevers'].length, 1);
});

test('a phone that can keep no more remembers a fever all the same', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  phone.full = true;
  await assert.rejects(duty.measure(GREEN, 38.2, START), { type: 'queue-full' });
  assert.equal((await duty.check(GREEN)).action, 'stop');
});

/* --- what a scanner adds ------------------------------------------------------------------------------------- */

test('what a scanner adds at the ends is cut before the phone or the server reads it', async () => {
  for (const [before, after] of [['', '\r\n'], ['\uFEFF', '\t'], [' ', ' \r']]) {
    const { phone, duty } = start(ok(PASSES));
    await duty.check(before + GREEN + after);
    assert.equal(phone.sent[0].data.token, GREEN);
    phone.server = () => 'no network';
    assert.equal((await duty.measure(before + GREEN + after, 36.5, START)).action, 'pass');
    assert.equal(queue(phone)[0].token, GREEN);
  }
});

/* --- a temperature without network --------------------------------------------------------------------------- */

const MEASURED = [
  ['GREEN', 37.2, 'pass'],
  ['GREEN', 37.3, 'stop'],
  ['UNVERIFIED', 36.5, 'pass'],
  ['UNVERIFIED', 38.0, 'stop'],
  ['YELLOW', 36.5, 'pass'],
  ['YELLOW', 37.3, 'stop'],
  ['ORANGE', 36.5, 'stop'],
  ['ORANGE', 39.0, 'stop'],
  ['RED', 36.5, 'stop'],
];
for (const [state, celsius, action] of MEASURED) {
  test(`without network ${state} with ${celsius} ℃ means ${action}, and the temperature waits`, async () => {
    const { phone, duty } = startOffline();
    const told = await duty.measure(token(state), celsius, START);
    assert.deepEqual([told.offline, told.state, told.action, told.asOf], [true, state, action, ISSUED]);
    assert.deepEqual(queue(phone).map((entry) => entry.celsius), [celsius]);
  });
}

test('who was yellow is asked about symptoms, and nobody is promised a color', async () => {
  const { duty } = startOffline();
  const { instruction } = await duty.measure(token('YELLOW'), 36.5, START);
  assert.match(instruction, /症状/);
  assert.doesNotMatch(instruction, /绿码/);
  assert.doesNotMatch((await duty.measure(GREEN, 36.5, START)).instruction, /症状/);
});

test('the threshold is the one that the server told last', async () => {
  const { phone, duty } = startOffline();
  phone.answers.push(ok(TODAY));
  await duty.refresh();
  assert.equal((await duty.measure(GREEN, 36.9, START)).action, 'pass');
  assert.equal((await duty.measure(GREEN, 37.0, START)).action, 'stop');
});

test('a token is judged at its scan, for the thermometer takes its time, but not for ever', async () => {
  const { phone, duty } = startOffline();
  mock.timers.tick(5 * 60000);
  assert.equal((await duty.measure(GREEN, 36.5, START)).action, 'pass');
  assert.equal(queue(phone)[0].at, '2020-03-20T12:05:30+08:00');
  await assert.rejects(duty.measure(GREEN, 36.5, START + 5 * 60000), { type: 'token-expired' });
  mock.timers.setTime(ISSUED + 11 * 60000 + 1);
  await assert.rejects(duty.measure(GREEN, 36.5, START), { type: 'token-expired' });
  assert.equal(duty.waiting(), 1);
});

test('a scan from the future is one of now', async () => {
  const { duty } = startOffline();
  assert.equal((await duty.measure(GREEN, 36.5, START + 10 * HOUR)).action, 'pass');
});

test('a temperature is sent once, for it may have arrived, and waits all the same', async () => {
  const { phone, duty } = startOffline();
  await duty.measure(GREEN, 37.5, START);
  assert.equal(phone.sent.length, 1);
  assert.equal(duty.waiting(), 1);
});

test('two temperatures for one scan are two, and beside them the check is one', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  await duty.measure(GREEN, 37.5, START);
  await duty.measure(GREEN, 36.8, START);
  assert.deepEqual(queue(phone).map((entry) => entry.celsius), [null, 37.5, 36.8]);
  assert.equal(new Set(queue(phone).map((entry) => entry.id)).size, 3);
});

test('in English everything is said in English', async () => {
  const { phone, duty } = startOffline();
  phone.stored.settings = { language: 'en', large: false };
  const told = await duty.measure(GREEN, 38.5, START);
  assert.equal(told.word, 'Green');
  assert.match(told.instruction, /fever/);
  await assert.rejects(duty.check('hello'), { title: 'This is not a Jixiang code' });
});

/* --- the phone's clock --------------------------------------------------------------------------------------- */

test('a phone whose clock is an hour slow reads tokens by the server time that it heard last', async () => {
  const { phone, duty } = start(ok({ ...ONLINE, as_of: '2020-03-20T12:00:30+08:00' }));
  mock.timers.setTime(START - HOUR);
  await duty.check(GREEN);
  phone.server = () => 'no network';
  mock.timers.tick(10000);
  const told = await duty.check(GREEN);
  assert.deepEqual([told.offline, told.action], [true, 'pass']);
  assert.equal(queue(phone)[0].at, '2020-03-20T12:00:40+08:00');
  assert.equal((await duty.measure(GREEN, 36.5, Date.now())).action, 'pass');
});

test('without such an answer the Date header tells the time, and a cached one does not', async () => {
  const { phone, duty } = startOffline();
  mock.timers.setTime(START + 5 * HOUR);
  delete phone.stored['station.keys'];
  phone.answers.push(ok(KEYS, { Date: 'Fri, 20 Mar 2020 02:00:30 GMT', Age: '7200' }));
  await duty.refresh();
  await assert.rejects(duty.check(GREEN), { type: 'token-expired' });
  delete phone.stored['station.keys'];
  phone.answers.push(ok(KEYS, { date: 'Fri, 20 Mar 2020 04:00:30 GMT' }));
  await duty.refresh();
  assert.equal((await duty.check(GREEN)).action, 'pass');
});

test('the Date of a machine on the way does not replace the time that the server itself told', async () => {
  const { phone, duty } = start(ok(ONLINE), ok(KEYS, { Date: 'Fri, 20 Mar 2020 09:00:00 GMT' }));
  phone.server = () => 'no network';
  await duty.check(GREEN);
  delete phone.stored['station.keys'];
  await duty.refresh();
  assert.equal((await duty.check(GREEN)).offline, true);
});

/* --- keys and counts ----------------------------------------------------------------------------------------- */

test('refreshing fetches the keys without a session and the counts with it', async () => {
  const { phone, duty } = start(ok(KEYS), ok(TODAY), 'no network');
  delete phone.stored['station.keys'];
  assert.equal(duty.today(), null);
  await duty.refresh();
  assert.deepEqual(paths(phone), ['/.well-known/jixiang-keys', '/api/v1/stations/today', REVOKED]);
  assert.equal(phone.sent[0].header.Authorization, undefined);
  assert.deepEqual(phone.stored['station.keys'], { set: KEYS, at: START });
  assert.deepEqual(duty.today(), {
    station: '长春站', passed: 7, measured: 2, stopped: 1, temperatures: 2, feverCelsius: 37, asOf: START, outsideHours: false, hours: '',
  });
});

test('a venue that is closed now is said so, and nothing else changes', async () => {
  const { duty } = start(ok({ ...TODAY, hours: '08:00-10:00', outside_hours: true }), 'no network');
  await duty.refresh();
  const { outsideHours, hours, passed } = duty.today();
  assert.deepEqual([outsideHours, hours, passed], [true, '08:00-10:00', 7]);
});

test('keys are asked for again after five minutes, counts each time', async () => {
  const { phone, duty } = start(ok(TODAY), 'no network', ok(KEYS), ok(TODAY), 'no network');
  await duty.refresh();
  assert.deepEqual(paths(phone), ['/api/v1/stations/today', REVOKED]);
  mock.timers.tick(5 * 60000);
  await duty.refresh();
  assert.deepEqual(paths(phone).slice(2), ['/.well-known/jixiang-keys', '/api/v1/stations/today', REVOKED]);
});

test('refreshing never rejects, and what is kept stays when the answer is of no use', async () => {
  const answers = ['no network', ok({ keys: 'none' }), ok({ keys: [null] }), ok({ keys: [{ kid: 1 }] }), ok([])];
  for (const answer of answers) {
    const { phone, duty } = start(answer);
    phone.server = () => (answer === 'no network' ? answer : ok({ nothing: 'useful' }));
    mock.timers.tick(10 * 60000);
    await duty.refresh();
    assert.deepEqual(phone.stored['station.keys'], { set: KEYS, at: START });
    assert.equal(duty.today(), null);
    mock.timers.setTime(START);
  }
});

test('counts without a time are no counts', async () => {
  const { duty } = start(ok({ ...TODAY, as_of: 'soon' }), 'no network');
  await duty.refresh();
  assert.equal(duty.today(), null);
});

test('who is not logged in fetches no counts', async () => {
  const { phone, duty } = start();
  delete phone.stored['station.session'];
  await duty.refresh();
  assert.equal(phone.sent.length, 0);
});

test('the counts of yesterday or of another station are not today of this one', async () => {
  const { phone, duty } = start(ok(TODAY), 'no network');
  await duty.refresh();
  phone.stored['station.name'] = '吉林站';
  assert.equal(duty.today(), null);
  phone.stored['station.name'] = '长春站';
  assert.equal(duty.today().passed, 7);
  mock.timers.setTime(Date.parse('2020-03-21T00:00:01+08:00'));
  assert.equal(duty.today(), null);
});

test('at the end of a shift counts and queue are gone, and the keys stay', async () => {
  const { phone, duty } = startOffline();
  await duty.check(GREEN);
  duty.forget();
  assert.equal(duty.waiting(), 0);
  assert.equal(duty.today(), null);
  assert.ok(phone.stored['station.keys']);
});

/* --- sending the queue --------------------------------------------------------------------------------------- */

test('an empty queue sends nothing', async () => {
  const { phone, duty } = start();
  assert.deepEqual(await duty.send(), { sent: 0, refused: 0, waiting: 0 });
  assert.equal(phone.sent.length, 0);
});

test('the queue goes in batches of fifty, as it was kept, and is empty afterwards', async () => {
  const { phone, duty } = start();
  fill(phone, 120);
  const before = queue(phone);
  phone.server = answering((index) => ['counted', 'registered', 'known'][index % 3]);
  assert.deepEqual(await duty.send(), { sent: 120, refused: 0, waiting: 0 });
  assert.deepEqual(phone.sent.map((call) => call.data.checks.length), [50, 50, 20]);
  assert.deepEqual(phone.sent.flatMap((call) => call.data.checks), before.map(({ station, ...sent }) => sent));
  assert.deepEqual([...new Set(paths(phone))], [OFFLINE]);
});

test('a full batch fits into the largest body that the server takes', async () => {
  const { phone, duty } = startOffline();
  await duty.measure(GREEN, 36.5, START);
  const [entry] = queue(phone);
  phone.stored['station.queue'] = Array.from({ length: 50 }, () => entry);
  phone.server = answering(() => 'counted');
  await duty.send();
  assert.ok(JSON.stringify(phone.sent.pop().data).length <= 16384);
});

test('refused entries leave the queue and are told as refused', async () => {
  const { phone, duty } = start();
  fill(phone, 3);
  phone.server = answering((index) => ['counted', 'token-expired', 'check-too-old'][index]);
  assert.deepEqual(await duty.send(), { sent: 1, refused: 2, waiting: 0 });
});

test('what the server has not answered about waits', async () => {
  const results = [{ id: 'entry-1', result: 'counted' }, { id: 'strange', result: 'counted' }, null];
  const { phone, duty } = start(ok({ results }));
  phone.server = () => 'no network';
  fill(phone, 3);
  assert.deepEqual(await duty.send(), { sent: 1, refused: 0, waiting: 2 });
  assert.deepEqual(queue(phone).map((entry) => entry.id), ['entry-0', 'entry-2']);
});

test('an answer about nothing ends the sending, and does not begin it again', async () => {
  for (const answer of [{ results: [] }, {}, { results: 'all' }, []]) {
    const { phone, duty } = start(ok(answer));
    fill(phone, 2);
    assert.deepEqual(await duty.send(), { sent: 0, refused: 0, waiting: 2 });
    assert.equal(phone.sent.length, 1);
  }
});

for (const answer of [...UNANSWERED, problem(401, 'session-expired'), { statusCode: 403, data: '<html>' }]) {
  test(`the queue waits after ${JSON.stringify(answer).slice(0, 60)}`, async () => {
    const { phone, duty } = start();
    phone.server = () => answer;
    fill(phone, 60);
    const { sent, refused } = await duty.send();
    assert.deepEqual([sent, refused, queue(phone).length], [0, 0, 60]);
  });
}

test('a batch that is lost on its way back is sent again with the same ids', async () => {
  const { phone, duty } = start('timeout');
  fill(phone, 2);
  phone.server = answering(() => 'known');
  assert.deepEqual(await duty.send(), { sent: 2, refused: 0, waiting: 0 });
  assert.deepEqual(phone.sent[0].data, phone.sent[1].data);
});

test('a batch that is refused as a whole does not stand in the way of the rest', async () => {
  const { phone, duty } = start(problem(422, 'invalid-request'));
  fill(phone, 70);
  phone.server = answering(() => 'counted');
  assert.deepEqual(await duty.send(), { sent: 20, refused: 50, waiting: 0 });
});

test('a refusal that names entries takes only those out', async () => {
  const errors = [{ pointer: '/checks/3/at', detail: 'x' }, { pointer: '/checks/12', detail: 'x' }];
  const { phone, duty } = start(problem(422, 'invalid-request', { errors }));
  fill(phone, 20);
  phone.server = answering(() => 'counted');
  assert.deepEqual(await duty.send(), { sent: 18, refused: 2, waiting: 0 });
  const again = phone.sent[1].data.checks.map((entry) => entry.id);
  assert.ok(!again.includes('entry-3') && !again.includes('entry-12') && again.includes('entry-1'));
});

test('a batch that is too large is sent in smaller ones, and a single entry that is too large is dropped', async () => {
  const { phone, duty } = start();
  fill(phone, 8);
  phone.server = (call) => {
    const { checks } = call.data;
    const tooLarge = checks.length > 3 || checks.some((entry) => entry.id === 'entry-5');
    return tooLarge ? problem(413, 'too-large') : answering(() => 'counted')(call);
  };
  assert.deepEqual(await duty.send(), { sent: 7, refused: 1, waiting: 0 });
});

test('two who send at once send once', async () => {
  const { phone, duty } = start();
  fill(phone, 2);
  phone.server = answering(() => 'counted');
  const both = await Promise.all([duty.send(), duty.send()]);
  assert.deepEqual(both, [{ sent: 2, refused: 0, waiting: 0 }, { sent: 2, refused: 0, waiting: 0 }]);
  assert.equal(phone.sent.length, 1);
  fill(phone, 1);
  assert.equal((await duty.send()).sent, 1);
});

test('what is checked while the queue is being sent is kept, and sent as well', async () => {
  const { phone, duty } = start();
  fill(phone, 1);
  const sent = answering(() => 'counted');
  phone.server = (call) => (call.url.endsWith(OFFLINE) ? sent(call) : 'no network');
  await Promise.all([duty.send(), duty.check(token('RED'))]);
  await duty.send();
  const batches = phone.sent.filter((call) => call.url.endsWith(OFFLINE)).flatMap((call) => call.data.checks);
  assert.deepEqual(batches.map((entry) => entry.token), [GREEN, token('RED')]);
  assert.equal(duty.waiting(), 0);
});

test('a session that ends while sending leaves the rest for the next log-in', async () => {
  const { phone, duty } = start();
  fill(phone, 60);
  const first = answering(() => 'counted');
  phone.server = (call) => (phone.sent.length === 1 ? first(call) : problem(401, 'session-expired'));
  assert.equal((await duty.send()).sent, 50);
  assert.equal(phone.stored['station.session'], undefined);
  assert.equal(queue(phone).length, 10);
});

test('what was checked at one station is never sent as the work of another', async () => {
  const { phone, duty } = start();
  fill(phone, 60);
  Object.assign(phone.stored, { 'station.name': '吉林站', 'station.session': 'moved' });
  phone.server = answering((index) => (index < 48 ? 'counted' : 'checked-elsewhere'));
  assert.deepEqual(await duty.send(), { sent: 58, refused: 0, waiting: 0 });
  assert.ok(phone.sent.every(({ data }) => data.checks.every(({ station }) => station === '长春站')));
  const calls = phone.sent.length;
  assert.deepEqual([await duty.send(), duty.elsewhere()], [{ sent: 0, refused: 0, waiting: 0 }, 2]);
  assert.equal(phone.sent.length, calls, 'nobody asks the same again in this session');
  duty.forget();
  Object.assign(phone.stored, { 'station.name': '长春站', 'station.session': 'a colleague' });
  phone.server = answering(() => 'counted');
  assert.deepEqual(await duty.send(), { sent: 2, refused: 0, waiting: 0 });
  assert.ok(phone.sent.at(-1).data.checks.every((sent) => !('station' in sent)));
});
