/* Cards on paper without network: read as the vectors say, asked of a list that a phone may trust, and queued without who. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');
const token = require('../utils/token.js');

const FILE = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'papers.json'), 'utf8'));
const [CARD] = FILE.vectors;
const LIST = FILE.lists[0];
const BROKEN = FILE.lists.find((list) => list.expect.refused === 'broken');

function bytes(hex) {
  return Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
}

for (const { name, text, at, expect } of FILE.vectors) {
  test(`the phone reads as the server does: ${name}`, () => {
    const read = () => token.read(text, FILE.key_set, Date.parse(at), FILE.skew_seconds);
    if (expect.refused) assert.throws(read, { type: `token-${expect.refused}` });
    else {
      const { number, issuedAt, endsAt } = read();
      assert.deepEqual([issuedAt, endsAt], [Date.parse(expect.issued_at), Date.parse(expect.ends_at)]);
      assert.equal(Buffer.from(number).toString('hex'), expect.number);
    }
  });
}

for (const { name, content, expect } of FILE.lists) {
  test(`a phone uses a list as the server does: ${name}`, () => {
    fakeWx();
    const list = fresh('utils/revoked.js').readSigned(bytes(content), FILE.key_set);
    if (expect.refused) assert.equal(list, null);
    else {
      assert.equal(list.version, expect.version);
      assert.ok(expect.hits.every((number) => list.mayList(bytes(number))));
      assert.ok(!list.mayList(bytes('0123456789abcdef')));
    }
  });
}

/* A phone at a station in the hour of the vectors, with their keys and what a server says. */
function atStation(t, ...answers) {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse(CARD.at) });
  const phone = fakeWx(...answers);
  phone.stored['station.session'] = 'session';
  phone.stored['station.name'] = '示例查验点';
  phone.stored['station.keys'] = { set: FILE.key_set, at: Date.now() };
  return phone;
}

function listed(list, statusCode = 200) {
  return { statusCode, data: list ? bytes(list.content).buffer : new ArrayBuffer(0) };
}


test('a list is fetched once in a quarter of an hour, kept through a restart, and asked for by its version', async (t) => {
  const phone = atStation(t, listed(LIST), listed(null, 304));
  let revoked = fresh('utils/revoked.js');
  await revoked.refresh(FILE.key_set);
  await revoked.refresh(FILE.key_set);
  assert.deepEqual([phone.sent.length, phone.sent[0].header], [1, {}]);
  revoked = fresh('utils/revoked.js');
  assert.equal((await revoked.current()).version, LIST.expect.version);
  await revoked.refresh(FILE.key_set);
  assert.equal(phone.sent[1].header['If-None-Match'], `"${LIST.expect.version}"`);
  assert.equal((await revoked.current()).version, LIST.expect.version);
});

test('a list that is wrong as a whole, forged or older changes nothing, and stops nobody', async (t) => {
  const phone = atStation(t, listed(BROKEN));
  let revoked = fresh('utils/revoked.js');
  await revoked.refresh(FILE.key_set);
  assert.equal(await revoked.current(), null);
  phone.answers.push(listed(LIST));
  revoked = fresh('utils/revoked.js');
  await revoked.refresh(FILE.key_set);
  for (const bad of [...FILE.lists.filter((list) => list.expect.refused), LIST]) {
    t.mock.timers.tick(16 * 60 * 1000);
    phone.answers.push(listed(bad));
    await revoked.refresh(FILE.key_set);
    assert.equal((await revoked.current()).version, LIST.expect.version, bad.name);
  }
});

test('a page of a portal, and one that is far too large, are no list', async (t) => {
  const phone = atStation(t, { statusCode: 200, data: new TextEncoder().encode('<html>').buffer });
  const revoked = fresh('utils/revoked.js');
  await revoked.refresh(FILE.key_set);
  assert.equal(await revoked.current(), null);
  t.mock.timers.tick(16 * 60 * 1000);
  phone.answers.push({ statusCode: 200, header: { 'Content-Length': '9000000' }, data: bytes(LIST.content).buffer });
  await assert.rejects(revoked.refresh(FILE.key_set), { type: 'answer-too-large' });
});

/* {paper, phone} with a card before the inspector, no network, and a list where there is one. */
async function scanned(t, list, text = CARD.text) {
  const phone = atStation(t, ...(list ? [listed(list)] : []));
  const paper = fresh('utils/paper.js');
  if (list) await require('../utils/revoked.js').refresh(FILE.key_set);
  paper.keep(`\uFEFF${text}\r\n`);
  phone.server = () => 'no network';
  return { paper, phone };
}

test('a genuine card that is not listed is measured, as of the list, and counted without the document', async (t) => {
  const { paper, phone } = await scanned(t, LIST);
  const result = await paper.check('001x', null);
  assert.deepEqual([result.offline, result.state, result.action], [true, null, 'measure']);
  assert.deepEqual(result.list, { asOf: 1000 * LIST.expect.version, old: false });
  await paper.check('001x', null);
  assert.deepEqual(phone.stored['station.queue'].map(({ celsius, tail, token: text }) => [celsius, tail, text]), [[null, undefined, CARD.text]]);
});

test('a hit says to ask and stops nobody, a fever stops, and a normal temperature lets pass who is not listed', async (t) => {
  const { paper } = await scanned(t, null);
  const revoked = require('../utils/revoked.js');
  const lists = { hit: { madeAt: Date.now(), mayList: () => true }, none: { madeAt: Date.now(), mayList: () => false } };
  const actions = async (list) => {
    t.mock.method(revoked, 'current', async () => list);
    const found = [];
    for (const celsius of [null, 36.5, 37.3]) found.push((await paper.check('0017', celsius)).action);
    return found;
  };
  assert.deepEqual(await actions(lists.hit), ['ask', 'ask', 'stop']);
  assert.deepEqual(await actions(lists.none), ['measure', 'pass', 'stop']);
  assert.deepEqual(await actions(null), ['measure', 'pass', 'stop']);
});

test('a temperature waits with the tail that finds its person, and is sent as the server takes it', async (t) => {
  const { paper, phone } = await scanned(t, LIST);
  await paper.check('001X', 36.5);
  phone.answers.push(problem(503, 'unavailable'));
  const [entry] = phone.stored['station.queue'];
  assert.deepEqual([entry.celsius, entry.tail], [36.5, '001X']);
  phone.answers.length = 0;
  phone.server = ({ data }) => ok({ results: data.checks.map(({ id }) => ({ id, result: 'registered' })) });
  await fresh('utils/queue.js').send();
  const [sent] = phone.sent.at(-1).data.checks;
  assert.deepEqual([sent.document_tail, sent.celsius, 'tail' in sent], ['001X', 36.5, false]);
  assert.deepEqual(phone.stored['station.queue'], []);
});

test('a card that is over, forged, or shown without four characters is refused, and nothing is queued', async (t) => {
  const { paper, phone } = await scanned(t, LIST);
  await assert.rejects(paper.check('12', null), (refused) => refused.type === 'invalid-request' && Boolean(refused.fields.document_tail));
  await assert.rejects(paper.check('0017', 50), (refused) => Boolean(refused.fields.celsius));
  const changed = FILE.vectors.find(({ expect }) => expect.refused === 'forged').text;
  paper.keep(changed);
  await assert.rejects(paper.check('0017', null), { type: 'token-forged' });
  paper.keep('JX2:nothing');
  await assert.rejects(paper.check('0017', null), { type: 'token-malformed' });
  t.mock.timers.setTime(Date.parse('2020-12-01T00:00:00Z'));
  phone.stored['station.keys'].at = Date.now();
  paper.keep(CARD.text);
  await assert.rejects(paper.check('0017', null), { type: 'paper-over' });
  assert.equal(phone.stored['station.queue'], undefined);
});

test('the page says as of when the list is, that it is old, and that there is none', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse(CARD.at) });
  const said = async (list) => {
    fakeWx();
    const page = openPage('pages/paper-check/paper-check.js');
    page.onLoad({});
    t.mock.method(require('../utils/paper.js'), 'check', async () => ({ offline: true, state: null, word: '', action: 'ask', instruction: '', asOf: 0, list }));
    await page.submit({ detail: { value: { tail: '001X' } } });
    return [page.data.result.title, page.data.result.look, page.data.result.list.when, page.data.result.list.missing];
  };
  const asOf = Date.parse('2020-03-20T12:00:00+08:00');
  assert.deepEqual(await said({ asOf, old: false }), ['请出示其他证明', 'does-ask', '作废清单截至 2020-03-20 12:00', '']);
  assert.match((await said({ asOf, old: true }))[3], /超过一天/);
  assert.deepEqual((await said(null)).slice(2), [undefined, '本机没有作废清单，无法得知此卡是否已挂失。']);
});
