/* The request module, through its public functions, against a fake WeChat. */
const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');

const { fakeWx, fresh, ok, problem } = require('./fake_wx.js');

const CODE = '/api/v1/code';
const SESSION = ok({ session: 'new', account: null });

let waits = [];

/* Nobody waits: what is put off happens at once, and for how long it was put off is written down. */
beforeEach(() => {
  waits = [];
  global.setTimeout = (what, milliseconds) => {
    waits.push(milliseconds);
    setImmediate(what);
  };
});

function open(stored, ...answers) {
  const phone = fakeWx(...answers);
  if (stored) phone.stored.session = stored;
  return { phone, request: fresh('utils/request.js') };
}

function paths(phone) {
  return phone.sent.map((call) => `${call.method} ${new URL(call.url).pathname}`);
}

test('without a session it logs in with WeChat, keeps the session and sends it', async () => {
  const { phone, request } = open('', SESSION, ok({ state: 'GREEN' }));
  assert.deepEqual(await request.get(CODE), { state: 'GREEN' });
  assert.deepEqual(paths(phone), ['POST /api/v1/wechat/login', 'GET /api/v1/code']);
  assert.deepEqual(phone.sent[0].data, { code: 'code-1' });
  assert.equal(phone.sent[1].header.Authorization, 'Bearer new');
  assert.equal(phone.stored.session, 'new');
});

test('a kept session is used without a log-in, and every call has a time-out', async () => {
  const { phone, request } = open('kept', ok({}));
  await request.get(CODE);
  assert.equal(phone.sent[0].header.Authorization, 'Bearer kept');
  assert.equal(phone.logins, 0);
  assert.ok(phone.sent[0].timeout > 0);
});

test('what anyone may see is asked for without a session', async () => {
  const { phone, request } = open('kept', ok({ columns: [] }));
  await request.getOpen('/api/v1/home');
  assert.equal(phone.sent[0].header.Authorization, undefined);
});

test('an ended session is replaced by one log-in, and the call is sent again', async () => {
  const { phone, request } = open('old', problem(401, 'session-expired'), SESSION, ok({ done: true }));
  assert.deepEqual(await request.post('/api/v1/declarations', { consent: true }), { done: true });
  assert.equal(phone.sent[2].header.Authorization, 'Bearer new');
  assert.deepEqual(phone.sent[2].data, { consent: true });
});

test('when the new session is refused too, it does not log in a second time', async () => {
  const refused = problem(401, 'session-invalid');
  const { phone, request } = open('old', refused, SESSION, refused);
  await assert.rejects(request.get(CODE), { type: 'session-invalid', status: 401 });
  assert.equal(phone.logins, 1);
});

test('a wrong password is no reason to log in with WeChat', async () => {
  const { phone, request } = open('kept', problem(401, 'wrong-credentials'));
  await assert.rejects(request.post('/api/v1/accounts/login', {}), { type: 'wrong-credentials' });
  assert.equal(phone.logins, 0);
});

test('calls at the same time share one log-in', async () => {
  const { phone, request } = open('', SESSION, ok({}), ok({}));
  await Promise.all([request.get(CODE), request.get('/api/v1/notices')]);
  assert.equal(phone.logins, 1);
});

test('a call whose session another call has replaced takes the new one', async () => {
  const { phone, request } = open('old', problem(401, 'session-expired'), ok({}));
  const call = request.get(CODE);
  request.keepSession('brought by another');
  await call;
  assert.equal(phone.logins, 0);
  assert.equal(phone.sent[1].header.Authorization, 'Bearer brought by another');
});

test('after a failed log-in the next call tries again', async () => {
  const { phone, request } = open('', 'no network', SESSION, ok({}));
  await assert.rejects(request.get(CODE), { type: 'offline' });
  await request.get(CODE);
  assert.equal(phone.logins, 2);
});

for (const [name, failure] of [['no network', 'no network'], ['503', problem(503, 'unavailable')]]) {
  test(`reading is tried once more after ${name}, a little later`, async () => {
    const { phone, request } = open('kept', failure, ok({ state: 'GREEN' }));
    assert.deepEqual(await request.get(CODE), { state: 'GREEN' });
    assert.equal(phone.sent.length, 2);
    assert.ok(waits[0] >= 300 && waits[0] < 1300, `waited ${waits[0]}`);
  });
}

test('reading is given up after the second attempt', async () => {
  const { phone, request } = open('kept', 'no network', 'no network');
  await assert.rejects(request.get(CODE), { type: 'offline', status: 0 });
  assert.equal(phone.sent.length, 2);
});

test('what was posted is never sent again, for it may have arrived', async () => {
  for (const failure of ['no network', problem(503, 'unavailable')]) {
    const { phone, request } = open('kept', failure);
    await assert.rejects(request.post('/api/v1/declarations', {}));
    assert.equal(phone.sent.length, 1);
  }
});

test('a refusal is not tried again', async () => {
  const { phone, request } = open('kept', problem(404, 'not-declared'));
  await assert.rejects(request.get(CODE), { type: 'not-declared', title: 'title of not-declared' });
  assert.equal(phone.sent.length, 1);
});

test('the server says how long to wait, and what is too long to wait for is left to the page', async () => {
  const soon = problem(503, 'unavailable', { header: { 'Retry-After': '5' } });
  const first = open('kept', soon, ok({}));
  await first.request.get(CODE);
  assert.ok(waits[0] >= 5300, `waited ${waits[0]}`);
  const late = problem(503, 'unavailable', { header: { 'retry-after': '30' } });
  const second = open('kept', late);
  await assert.rejects(second.request.get(CODE), { retryAfter: 30 });
  assert.equal(second.phone.sent.length, 1);
});

test('bad fields are told under the names of the form', async () => {
  const errors = [
    { pointer: '/document/number', detail: '请核对' },
    { pointer: '/phone', detail: '不正确' },
  ];
  const { request } = open('kept', problem(422, 'invalid-request', { errors }));
  await assert.rejects(request.post('/api/v1/accounts', {}), {
    fields: { document_number: '请核对', phone: '不正确' },
  });
});

test('a problem is understood also as text, and in the answer to a picture', async () => {
  const text = '{"type": "/problems/not-declared", "title": "尚未进行健康申报", "status": 404}';
  for (const data of [text, new TextEncoder().encode(text).buffer]) {
    const { request } = open('kept', { statusCode: 404, data });
    await assert.rejects(request.getBytes('/api/v1/code.png'), { type: 'not-declared', title: '尚未进行健康申报' });
  }
});

test('a picture comes as bytes', async () => {
  const bytes = new Uint8Array([137, 80]).buffer;
  const { phone, request } = open('kept', ok(bytes));
  assert.equal(await request.getBytes('/api/v1/code.png'), bytes);
  assert.equal(phone.sent[0].responseType, 'arraybuffer');
});

test('the log-in page of some Wi-Fi is not an answer of the server', async () => {
  const page = ok('<html>Welcome to our Wi-Fi</html>');
  const { request } = open('kept', page, page);
  await assert.rejects(request.get(CODE), { type: 'offline' });
});

test('an error page of a proxy becomes a problem with a sentence', async () => {
  const { request } = open('kept', { statusCode: 502, data: '<html>Bad Gateway</html>' });
  await assert.rejects(request.get(CODE), { status: 502, type: 'unavailable', title: '服务暂时不可用，请稍后再试' });
});
