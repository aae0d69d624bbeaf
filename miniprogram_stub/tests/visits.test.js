/* Visits: a venue code becomes a receipt, its visit stays on this phone alone, and a receipt is checked by the server alone. */
const assert = require('node:assert/strict');
const { test } = require('node:test');
const nacl = require('tweetnacl');

const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const soon = (minutes) => new Date(Date.now() + 60000 * minutes).toISOString();
const RECEIPT = {
  receipt: `JX5:${'0'.repeat(215)}`, expires_in: 60, venue: 7, place: 11, name: '示例商场', entrance: '东门', at: soon(0),
  kept_days: 14, state: 'GREEN', color: 'GREEN', word: '绿码', stale: false,
};

function opened(...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'session';
  phone.stored['citizen.account'] = { name: '示**' };
  const page = openPage('pages/visit/visit.js');
  page.onLoad();
  page.onShow();
  return { phone, page };
}

test('a scan shows a receipt, keeps the visit without it, and a hidden page shows it no longer', async () => {
  const { phone, page } = opened(ok(RECEIPT));
  await page.take('\uFEFFJX4:CODE\r\n');
  assert.deepEqual(phone.sent[0].data, { code: 'JX4:CODE' });
  assert.deepEqual([page.data.receipt.name, page.data.receipt.state], ['示例商场', 'green']);
  assert.ok(page.data.image.startsWith('data:image/svg'));
  assert.deepEqual(page.data.visits.map(({ name, entrance }) => [name, entrance]), [['示例商场', '东门']]);
  assert.ok(!JSON.stringify(phone.stored).includes('JX5:'));
  page.onHide();
  assert.deepEqual([page.data.receipt, page.data.image], [null, '']);
});

test('who has not registered is told so before they scan, and nobody else is asked or told', async () => {
  const guest = async (answer) => {
    const phone = fakeWx(answer);
    phone.stored['citizen.session'] = 'session';
    const page = openPage('pages/visit/visit.js');
    await page.onShow();
    return [phone.sent.map(({ url }) => new URL(url).pathname), page.data.problem && page.data.problem.type];
  };
  const asked = ['/api/v1/accounts/me'];
  assert.deepEqual(await guest(problem(403, 'not-registered')), [asked, 'not-registered']);
  assert.deepEqual(await guest(problem(429, 'too-many-requests')), [asked, null]);
  assert.deepEqual(await guest(ok({ name: '示**' })), [asked, null]);
  const { phone, page } = opened();
  await page.onShow();
  assert.deepEqual([phone.sent, page.data.problem], [[], null]);
});

test('what is no venue code is not sent, and an old print is said in the words of the server', async () => {
  const { phone, page } = opened(problem(410, 'venue-code-old'));
  await page.take('JX1:SOMEBODY');
  assert.equal(page.data.problem.type, 'venue-code-wrong');
  assert.equal(phone.sent.length, 0);
  await page.take('JX4:OLD');
  assert.deepEqual([page.data.problem.type, page.data.visits], ['venue-code-old', []]);
});

test('visits go after their days, one by one, all at once, and with the account', async () => {
  const { phone, page } = opened(ok(RECEIPT), ok({ ...RECEIPT, at: soon(1) }), ok({ ...RECEIPT, at: soon(2) }), ok(null));
  phone.stored.visits = [{ venue: 1, place: 1, name: '示例旧址', entrance: '', at: soon(-20000), ends: Date.now() - 1 }];
  page.onShow();
  assert.deepEqual(page.data.visits, []);
  for (let time = 0; time < 3; time += 1) await page.take('JX4:CODE');
  page.forget({ currentTarget: { dataset: { index: 0 } } });
  assert.deepEqual(page.data.visits.map(({ at }) => Date.parse(at) < Date.parse(soon(1.5))), [true, true]);
  assert.equal(phone.stored.visits.length, 2);
  const { citizen } = fresh('utils/request.js');
  await citizen.leave();
  assert.equal(phone.stored.visits, undefined);
  page.onHide();
});

test('a visit whose days are over leaves the phone with the home page, once the server has said what time it is', async () => {
  const ended = { venue: 1, place: 1, name: '示例旧址', entrance: '', at: soon(-20200), ends: Date.now() - 1 };
  const phone = fakeWx(ok({ columns: [], ending: null }));
  phone.stored.visits = [{ ...ended, place: 2, ends: Date.now() + 9e8 }, ended];
  const home = openPage('pages/home/home.js');
  assert.equal(fresh('utils/visits.js').list().length, 1);
  assert.equal(phone.stored.visits.length, 2, 'the clock of the phone alone deletes nothing');
  await home.load();
  assert.deepEqual(phone.stored.visits.map(({ place }) => place), [2]);
});

test('a full phone shows the receipt', async () => {
  const { phone, page } = opened(ok(RECEIPT));
  phone.full = true;
  await page.take('JX4:CODE');
  assert.deepEqual([page.data.problem, page.data.receipt && page.data.receipt.name], [null, '示例商场']);
  page.onUnload();
});

test('an answer that comes after the page was left shows nothing and leaves the screen as it was', async () => {
  const { phone, page } = opened(ok(RECEIPT));
  const answered = page.take('JX4:CODE');
  page.onUnload();
  await answered;
  const after = phone.called.filter(({ name }) => name === 'setKeepScreenOn').at(-1);
  page.leave(); // no timer outlives a failure
  assert.deepEqual([page.data.image, after.given.keepScreenOn], ['', false]);
});

test('after two receipts the screen is as bright as before the first', () => {
  let value = 0.3;
  fakeWx();
  wx.getScreenBrightness = ({ success }) => success({ value });
  wx.setScreenBrightness = (given) => {
    ({ value } = given);
  };
  const { brighten, dim } = fresh('utils/brightness.js');
  const page = {};
  brighten(page);
  brighten(page);
  dim(page);
  assert.equal(value, 0.3);
});

test('a receipt is judged by the server alone: without it nobody knows whether it was used', async () => {
  const phone = fakeWx(ok({ state: 'GREEN', color: 'GREEN', word: '绿码', action: 'pass', instruction: '可以通行。', as_of: soon(0), stale: false }), 'no network');
  phone.stored['station.session'] = 'session';
  const duty = fresh('utils/duty.js');
  assert.equal((await duty.check(RECEIPT.receipt)).action, 'pass');
  await assert.rejects(duty.measure(RECEIPT.receipt, 36.6), { type: 'receipt-no-temperature' });
  await assert.rejects(duty.check(RECEIPT.receipt), { type: 'receipt-offline' });
});

/* A list as the server signs it, by a key that is made here. */
function signedList(notices, asOf, pair = nacl.sign.keyPair()) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const protectedHeader = encode({ alg: 'EdDSA', kid: '00000000', typ: 'jixiang-exposures' });
  const payload = encode({ as_of: asOf, notices });
  const signature = nacl.sign.detached(Buffer.from(`${protectedHeader}.${payload}`), pair.secretKey);
  const keys = [{ kid: '00000000', x: Buffer.from(pair.publicKey).toString('base64url'), until: null }];
  return { signed: { protected: protectedHeader, payload, signature: Buffer.from(signature).toString('base64url') }, keySet: { keys } };
}

const NOTICE = { id: 1, venue: 7, name: '示例商场', reason: 'case', begins_at: soon(-60), ends_at: soon(60), until: soon(9999) };

test('a notice about a kept visit is shown with the way to declare, and nothing of the visit is sent', async () => {
  const { signed, keySet } = signedList([NOTICE, { ...NOTICE, venue: 8 }], soon(0));
  const phone = fakeWx(ok(signed), ok(keySet));
  phone.stored['citizen.account'] = { name: '示**' };
  phone.stored.visits = [{ venue: 7, place: 11, name: '示例商场', entrance: '东门', at: soon(-1), ends: Date.now() + 9e8 }];
  const page = openPage('pages/visit/visit.js');
  page.onLoad();
  await page.onShow();
  assert.deepEqual(page.data.matches.map(({ name, reason }) => [name, reason]), [['示例商场', '确诊或疑似病例到过']]);
  assert.deepEqual(phone.sent.map(({ method, data }) => [method, data]), [['GET', undefined], ['GET', undefined]]);
  await page.onShow();
  assert.equal(phone.sent.length, 2, 'once an hour');
  page.forget({ currentTarget: { dataset: { index: 0 } } });
  assert.deepEqual(page.data.matches, []);
});

test('a list that is forged, old or of another time says nothing, and without visits none is fetched', async () => {
  const phone = fakeWx();
  const exposures = fresh('utils/exposures.js');
  await exposures.refresh();
  assert.equal(phone.sent.length, 0);
  const { signed, keySet } = signedList([NOTICE], soon(0));
  assert.ok(exposures.read(signed, keySet, Date.now()));
  const other = signedList([{ ...NOTICE, venue: 9 }], soon(0));
  assert.equal(exposures.read(signed, other.keySet, Date.now()), null, 'of another key');
  for (const wrong of [{ payload: other.signed.payload }, { signature: other.signed.signature }, { protected: 'e30' }, { signature: '' }]) {
    assert.equal(exposures.read({ ...signed, ...wrong }, keySet, Date.now()), null);
  }
  assert.equal(exposures.read(signed, keySet, Date.now() + 25 * 3600000), null);
  phone.stored.exposures = { as_of: soon(5), notices: [] };
  assert.equal(exposures.read(signed, keySet, Date.now()), null, 'older than the one that is kept');
});
