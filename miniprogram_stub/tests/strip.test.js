/* Strips: read at a station without network as the vectors say, kept on the phone, and gone with the account. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { fakeWx, fresh, ok, openPage } = require('./fake_wx.js');
const token = require('../utils/token.js');

const FILE = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'strips.json'), 'utf8'));

for (const { name, text, at, expect } of FILE.vectors) {
  test(`the phone reads as the server does: ${name}`, () => {
    const read = () => token.read(text, FILE.key_set, Date.parse(at), FILE.skew_seconds);
    if (expect.refused) assert.throws(read, { type: `token-${expect.refused}` });
    else assert.deepEqual(read(), { state: expect.state, issuedAt: Date.parse(expect.issued_at), endsAt: Date.parse(expect.ends_at) });
  });
}

const GOOD = FILE.vectors[1];

function strip() {
  const window = (minutes) => new Date(Date.now() + 60000 * minutes).toISOString();
  return {
    state: 'GREEN', color: 'GREEN', word: '绿码', as_of: new Date().toISOString(),
    strip: [{ token: GOOD.text, begins_at: window(-1), ends_at: window(4) }, { token: 'later', begins_at: window(4), ends_at: window(9) }],
  };
}

function logged(...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'session';
  return phone;
}

test('a strip is taken on demand, then hourly with the code, and the window of now is found', async () => {
  const phone = logged(ok(strip()), ok(strip()));
  const kept = fresh('utils/strip.js');
  await kept.refresh();
  assert.deepEqual([phone.sent.length, kept.current()], [0, null]);
  await kept.take();
  await kept.refresh();
  assert.equal(phone.sent.length, 1);
  phone.stored['code.strip'].as_of = new Date(Date.now() - 3700000).toISOString();
  await kept.refresh();
  assert.equal(phone.sent.length, 2);
  assert.equal(kept.current().token, GOOD.text);
  phone.stored['code.strip'].strip.shift();
  assert.equal(kept.current(), null);
});

test('what cannot be taken or read is no strip', async () => {
  const phone = logged('no network', 'no network', 'no network');
  const kept = fresh('utils/strip.js');
  for (const odd of ['', 7, {}, { strip: 'x' }]) {
    phone.stored['code.strip'] = odd;
    assert.equal(kept.current(), null);
  }
});

test('without network the page shows the strip, as of its time, and never where the server refuses', () => {
  const phone = logged();
  phone.stored['code.strip'] = strip();
  const page = openPage('pages/code/code.js');
  page.round = 0;
  page.fail({ passing: true, retryAfter: 0, type: 'offline' });
  assert.deepEqual([page.data.strip.word, page.data.strip.state], ['绿码', 'green']);
  assert.match(page.data.strip.image, /^data:image/);
  page.fail({ passing: false, retryAfter: 0, type: 'identity-mismatch' });
  assert.equal(page.data.strip, null);
  page.leave();
});

test('a log-out and another account on this phone forget the strip, and a new session does not', async () => {
  const phone = logged(ok({}));
  const { citizen } = fresh('utils/request.js');
  phone.stored['citizen.account'] = { document_number: '2****1' };
  phone.stored['code.strip'] = strip();
  citizen.keep({ session: 'next', account: { document_number: '2****1' } });
  assert.ok(phone.stored['code.strip']);
  citizen.keep({ session: 'next', account: { document_number: '2****2' } });
  assert.equal(phone.stored['code.strip'], undefined);
  phone.stored['code.strip'] = strip();
  await citizen.leave();
  assert.equal(phone.stored['code.strip'], undefined);
});

test('a phone that knows it has no network shows the strip at once, and not after the attempts to reach the server', async () => {
  const phone = logged('silence');
  phone.stored['code.strip'] = strip();
  global.wx.getNetworkType = ({ success }) => success({ networkType: 'none' });
  const page = openPage('pages/code/code.js');
  page.onLoad();
  page.onShow();
  assert.deepEqual([page.data.strip.state, page.data.problem], ['green', null]);
  page.onUnload();
});
