/* Codes of other provinces: every vector of trust lists, and the inspector's work with and without network. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { afterEach, beforeEach, mock, test } = require('node:test');

const { fakeWx, fresh, ok, problem } = require('./fake_wx.js');

const read = (name) => JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', `${name}.json`), 'utf8'));
const FILE = read('foreign');
const KEYS = read('tokens').key_sets['two-keys'];
const ISSUED = Date.parse('2020-03-20T12:00:00+08:00');
const START = ISSUED + 30000;
const GREEN = code('GREEN');
const MADE = { both: JSON.parse(FILE.used.both), revoked: JSON.parse(FILE.used.revoked) };

beforeEach(() => {
  mock.timers.enable({ apis: ['Date'], now: START });
  mock.method(global, 'setTimeout', (what) => setImmediate(what));
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function code(state) {
  return FILE.vectors.find(({ name }) => name === `a code of an issuer, ${state}`).text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return text;
  }
}

for (const { name, text, known, at, expect } of FILE.lists) {
  test(`a list: ${name}`, () => {
    fakeWx();
    const list = fresh('utils/trust.js').read(parsed(text), FILE.root, known, Date.parse(at));
    assert.equal(list ? list.version : null, expect.version || null);
  });
}

for (const { name, text, list, at, expect } of FILE.vectors) {
  test(`a code: ${name}`, () => {
    fakeWx();
    const trust = fresh('utils/trust.js');
    const now = Date.parse(at);
    const used = trust.read(JSON.parse(FILE.used[list]), FILE.root, 0, now);
    try {
      const { issuer, state, issuedAt, endsAt } = trust.stated(text, used, now);
      const said = { issuer: issuer.id, state, issued_at: issuedAt, ends_at: endsAt };
      assert.deepEqual(said, { ...expect, issued_at: Date.parse(expect.issued_at), ends_at: Date.parse(expect.ends_at) });
    } catch (error) {
      assert.equal(error.type.replace(/^(token|foreign)-/, ''), expect.refused);
    }
  });
}

/* An inspector who is logged in, with our keys and the pinned root key. */
function start(...answers) {
  const phone = fakeWx(...answers);
  Object.assign(phone.stored, { 'station.session': 'shift', 'station.name': '长春站', 'station.keys': { set: KEYS, at: START } });
  const duty = fresh('utils/duty.js');
  require('../config.js').trustRoot = FILE.root;
  phone.server = () => 'no network'; // what is asked for beside: it changes nothing here
  return { phone, duty };
}

const TODAY = { station: '长春站', passed: 1, measured: 0, stopped: 0, temperatures: 0, fever_celsius: 37.3, as_of: '2020-03-20T12:00:30+08:00' };

/* The same, with a list that was fetched, and then without network. */
async function startOffline(signed = MADE.both, today = TODAY) {
  const started = start(ok(signed), ok(today));
  await started.duty.refresh();
  return started;
}

function queue(phone) {
  return phone.stored['station.queue'] || [];
}

test('without network a code of another province is the statement of its issuer', async () => {
  const { duty } = await startOffline(MADE.both, { ...TODAY, foreign_actions: { GREEN: 'pass' } });
  const { issuer, ...told } = await duty.check(GREEN);
  assert.deepEqual(issuer, { id: 'example', name: '示例省', statement: '吉林省以外 · 发码地：示例省 · 绿码 · 有效至 2020-03-20 12:01' });
  assert.deepEqual([told.offline, told.state, told.word, told.action, told.asOf], [true, 'GREEN', '示例省：绿码', 'pass', ISSUED]);
  assert.match(told.instruction, /示例省/);
});

for (const [state, action] of [['GREEN', 'measure'], ['UNVERIFIED', 'measure'], ['YELLOW', 'measure'], ['ORANGE', 'stop'], ['RED', 'stop']]) {
  test(`until the server has said what to do, ${state} of another province means ${action}`, async () => {
    const { duty } = await startOffline();
    assert.equal((await duty.check(code(state))).action, action);
  });
}

test('it is counted once, and no temperature of it is kept or sent', async () => {
  const { phone, duty } = await startOffline();
  await duty.check(GREEN);
  await duty.check(GREEN);
  assert.deepEqual((await duty.measure(GREEN, 36.5, START)).action, 'pass');
  assert.deepEqual((await duty.measure(GREEN, 38.5, START)).action, 'stop');
  assert.deepEqual((await duty.measure(code('RED'), 36.5, START)).action, 'stop');
  assert.deepEqual(queue(phone).map(({ token, celsius }) => [token, celsius]), [[GREEN, null]]);
});

test('an older list is never taken, also after the newer one is over', async () => {
  const { phone, duty } = await startOffline(MADE.revoked);
  await assert.rejects(duty.check(GREEN), { type: 'foreign-key-revoked' });
  delete phone.stored['station.trust'];
  phone.answers.push(ok(MADE.both), ok(TODAY)); // of the same second: the version is not greater
  await duty.refresh();
  assert.equal(phone.sent.filter(({ url }) => url.endsWith('/.well-known/jixiang-trust')).length, 2);
  assert.equal(phone.stored['station.trust'], undefined);
});

test('a list that is refused, or of no use, leaves the one before', async () => {
  const { phone, duty } = await startOffline();
  for (const answer of [ok({ payload: '', protected: '', signature: '' }), ok([]), problem(404, 'not-found'), 'no network']) {
    phone.answers.push(ok(KEYS), answer, ok(TODAY));
    phone.stored['station.keys'].at = START - 6 * 60000;
    phone.stored['station.trust'].at = START - 6 * 60000;
    await duty.refresh();
    phone.answers.length = 0;
    assert.equal((await duty.check(GREEN)).issuer.id, 'example');
  }
});

test('a list that is over recognises nobody', async () => {
  const { phone, duty } = await startOffline();
  const { text, at } = FILE.vectors.find(({ name }) => name === 'the list is over');
  mock.timers.setTime(Date.parse(at));
  phone.stored['station.keys'].at = Date.parse(at);
  await assert.rejects(duty.check(text), { type: 'foreign-list-expired', title: '互认名单已过期，暂时无法查验外省码' });
});

test('without a root key nobody is asked for a list, and codes of others are unknown', async () => {
  const { phone, duty } = start(ok(TODAY));
  require('../config.js').trustRoot = '';
  await duty.refresh();
  assert.equal(phone.sent.some(({ url }) => url.endsWith('/.well-known/jixiang-trust')), false);
  phone.server = () => 'no network';
  await assert.rejects(duty.check(GREEN), { type: 'token-unknown-key' });
});

test('with network the statement is that of the server, and counts as none of ours', async () => {
  const issuer = { id: 'example', name: '示例省', statement: '吉林省以外 · …' };
  const answer = { state: 'GREEN', color: 'GREEN', word: '示例省：绿码', action: 'pass', instruction: '可以通行', as_of: TODAY.as_of, stale: false, issuer };
  const { duty } = start(ok(answer));
  assert.deepEqual((await duty.check(GREEN)).issuer, issuer);
});
