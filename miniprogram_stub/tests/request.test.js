/* The request module, through its public functions, against a fake WeChat. */
const assert = require('node:assert/strict');
const { afterEach, beforeEach, mock, test } = require('node:test');

const { fakeWx, fresh, ok, problem } = require('./fake_wx.js');

const CODE = '/api/v1/code';
const SESSION = ok({ session: 'new', account: null });
const START = Date.parse('2020-03-20T12:00:00+08:00');

let waits = [];

/* Nobody waits: what is put off moves the clock on and happens at once; chance is always a half. */
beforeEach(() => {
  waits = [];
  mock.timers.enable({ apis: ['Date'], now: START });
  mock.method(Math, 'random', () => 0.5);
  mock.method(global, 'setTimeout', (what, milliseconds) => {
    waits.push(milliseconds);
    setImmediate(() => {
      mock.timers.tick(milliseconds);
      what();
    });
  });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function start(session, ...answers) {
  const phone = fakeWx(...answers);
  if (session) Object.assign(phone.stored, { 'citizen.session': session, 'station.session': session });
  return { phone, ...fresh('utils/request.js') };
}

function paths(phone) {
  return phone.sent.map((call) => `${call.method} ${new URL(call.url).pathname}`);
}

function busy(retryAfter, status = 503) {
  const header = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
  return problem(status, 'unavailable', { header });
}

/* --- the citizen's session ----------------------------------------------------------------------------------- */

test('without a session it logs in with WeChat, keeps the session and sends it', async () => {
  const { phone, citizen } = start('', ok({ session: 'new', account: { name: '*例' } }), ok({ state: 'GREEN' }));
  assert.deepEqual(await citizen.get(CODE), { state: 'GREEN' });
  assert.deepEqual(paths(phone), ['POST /api/v1/wechat/login', 'GET /api/v1/code']);
  assert.deepEqual(phone.sent[0].data, { code: 'code-1' });
  assert.equal(phone.sent[1].header.Authorization, 'Bearer new');
  assert.equal(phone.stored['citizen.session'], 'new');
  assert.deepEqual(citizen.account(), { name: '*例' });
});

test('a kept session is used without a log-in, and every call has a time-out', async () => {
  const { phone, citizen } = start('kept', ok({}));
  await citizen.get(CODE);
  assert.equal(phone.sent[0].header.Authorization, 'Bearer kept');
  assert.equal(phone.sent[0].timeout, 8000);
  assert.equal(phone.logins, 0);
});

test('what anyone may see is asked for without a session', async () => {
  const { phone, open } = start('kept', ok({ columns: [] }));
  assert.deepEqual(await open('/api/v1/home'), { columns: [] });
  assert.equal(phone.sent[0].header.Authorization, undefined);
});

test('an ended session is replaced by one log-in, and the call is sent again', async () => {
  const { phone, citizen } = start('old', problem(401, 'session-expired'), SESSION, ok({ done: true }));
  assert.deepEqual(await citizen.post('/api/v1/declarations', { consent: true }), { done: true });
  assert.equal(phone.sent[2].header.Authorization, 'Bearer new');
  assert.deepEqual(phone.sent[2].data, { consent: true });
});

test('when the new session is refused too, it does not log in a second time', async () => {
  const refused = problem(401, 'session-invalid');
  const { phone, citizen } = start('old', refused, SESSION, refused);
  await assert.rejects(citizen.get(CODE), { type: 'session-invalid', status: 401 });
  assert.equal(phone.logins, 1);
});

test('a wrong password is no reason to log in with WeChat', async () => {
  const { phone, citizen } = start('kept', problem(401, 'wrong-credentials'));
  await assert.rejects(citizen.post('/api/v1/accounts/login', {}), { type: 'wrong-credentials' });
  assert.equal(phone.logins, 0);
});

test('calls at the same time share one log-in', async () => {
  const { phone, citizen } = start('', SESSION, ok({}), ok({}));
  await Promise.all([citizen.get(CODE), citizen.get('/api/v1/notices')]);
  assert.equal(phone.logins, 1);
});

test('calls at the same time whose session is refused share one log-in', async () => {
  const refused = problem(401, 'session-expired');
  const { phone, citizen } = start('old', refused, refused, SESSION, ok({}), ok({}));
  await Promise.all([citizen.get(CODE), citizen.get('/api/v1/notices')]);
  assert.equal(phone.logins, 1);
  assert.equal(phone.sent.length, 5);
});

test('a call whose session another call has replaced takes the new one', async () => {
  const { phone, citizen } = start('old', problem(401, 'session-expired'), ok({}));
  const call = citizen.get(CODE);
  citizen.keep({ session: 'brought by another', account: null });
  await call;
  assert.equal(phone.logins, 0);
  assert.equal(phone.sent[1].header.Authorization, 'Bearer brought by another');
});

test('after a failed log-in the next call tries again', async () => {
  const { phone, citizen } = start('', 'no network', SESSION, ok({}));
  await assert.rejects(citizen.get(CODE), { type: 'offline' });
  assert.equal(phone.sent.length, 1, 'a code of WeChat works once, so the log-in is not repeated');
  await citizen.get(CODE);
  assert.equal(phone.logins, 2);
});

test('when WeChat itself does not log in, that is told as being offline', async () => {
  const { phone, citizen } = start('');
  phone.logsIn = false;
  await assert.rejects(citizen.get(CODE), { type: 'offline', passing: true });
});

test('logging out tells the server and forgets session and account, also when the server is away', async () => {
  for (const answer of [{ statusCode: 204, data: '' }, 'no network', problem(401, 'session-expired')]) {
    const { phone, citizen } = start('kept', answer);
    citizen.keep({ session: 'kept', account: { name: '*例' } });
    await citizen.leave();
    assert.deepEqual(paths(phone), ['POST /api/v1/accounts/logout']);
    assert.equal(phone.sent[0].header.Authorization, 'Bearer kept');
    assert.equal(phone.stored['citizen.session'], undefined);
    assert.equal(citizen.account(), null);
  }
});

/* --- the inspector's session --------------------------------------------------------------------------------- */

test('an inspector who logs in has a station and a session of their own', async () => {
  const { phone, inspector } = start('', ok({ session: 'shift', expires_at: '', station: '长春站' }), ok({}));
  assert.equal(inspector.station(), '');
  assert.equal(await inspector.login('demo', 'a password'), '长春站');
  assert.equal(inspector.station(), '长春站');
  await inspector.post('/api/v1/checks', {});
  assert.equal(phone.sent[1].header.Authorization, 'Bearer shift');
  assert.equal(phone.stored['citizen.session'], undefined);
});

test('what the server knows this phone by is kept after a log-out and sent with the next log-in', async () => {
  const { phone, inspector } = start(
    '',
    ok({ session: 'shift', expires_at: '', station: '长春站', device: 'known-here' }),
    ok({}),
    ok({ session: 'next', expires_at: '', station: '长春站' }),
  );
  await inspector.login('demo', 'a password');
  await inspector.leave();
  await inspector.login('demo', 'a password');
  const logins = phone.sent.filter((call) => call.url.endsWith('/stations/login'));
  assert.deepEqual(
    logins.map((call) => call.data.device),
    [undefined, 'known-here'],
  );
});

test('a refused session of an inspector is forgotten, and nobody logs in without being asked', async () => {
  const { phone, inspector } = start('old', problem(401, 'session-expired'));
  phone.stored['station.name'] = '长春站';
  await assert.rejects(inspector.get('/api/v1/stations/today'), { type: 'session-expired' });
  assert.equal(inspector.station(), '');
  assert.equal(phone.stored['station.session'], undefined);
  assert.equal(phone.logins, 0);
});

test('a refused session does not take with it the one that has replaced it', async () => {
  const { phone, inspector } = start('old', problem(401, 'session-expired'));
  const call = inspector.get('/api/v1/stations/today');
  phone.stored['station.session'] = 'new';
  await assert.rejects(call);
  assert.equal(phone.stored['station.session'], 'new');
});

test('without a session nothing is sent in the name of an inspector', async () => {
  const { phone, inspector } = start('');
  const missing = { type: 'session-missing', title: '请先登录', passing: false };
  await assert.rejects(inspector.post('/api/v1/checks', {}), missing);
  assert.equal(phone.sent.length, 0);
});

test('an inspector who leaves is forgotten', async () => {
  const { phone, inspector } = start('shift', 'no network');
  await inspector.leave();
  assert.deepEqual(paths(phone), ['POST /api/v1/stations/logout']);
  assert.equal(phone.stored['station.session'], undefined);
  await inspector.leave();
  assert.equal(phone.sent.length, 1, 'who is not logged in has nothing to tell');
});

/* --- further attempts ---------------------------------------------------------------------------------------- */

for (const [name, failure] of [['no network', 'no network'], ['503', busy()], ['a time-out', 'timeout']]) {
  test(`reading is tried again after ${name}, a little later`, async () => {
    const { phone, citizen } = start('kept', failure, ok({ state: 'GREEN' }));
    assert.deepEqual(await citizen.get(CODE), { state: 'GREEN' });
    assert.equal(phone.sent.length, 2);
    assert.deepEqual(waits, [500]);
  });
}

test('reading is given up after the third attempt, and the waits grow', async () => {
  const { phone, citizen } = start('kept', 'no network', 'no network', 'no network');
  await assert.rejects(citizen.get(CODE), { type: 'offline', status: 0, title: '无法连接服务', passing: true });
  assert.equal(phone.sent.length, 3);
  assert.deepEqual(waits, [500, 1000]);
});

test('chance decides all of a wait, so that phones do not come back together', async () => {
  for (const [chance, wait] of [[0, 0], [0.999, 999]]) {
    const { citizen } = start('kept', 'no network', ok({}));
    Math.random.mock.mockImplementation(() => chance);
    await citizen.get(CODE);
    assert.equal(waits.pop(), wait);
  }
});

test('what was posted is never sent again, for it may have arrived', async () => {
  for (const failure of ['no network', 'timeout', busy()]) {
    const { phone, citizen, inspector } = start('kept', failure, failure);
    await assert.rejects(citizen.post('/api/v1/declarations', {}));
    await assert.rejects(inspector.post('/api/v1/checks/temperature', {}));
    assert.equal(phone.sent.length, 2);
  }
});

test('a post that may arrive twice is tried again, with the time-out that was asked for', async () => {
  const { phone, inspector } = start('shift', 'timeout', ok({ action: 'pass' }));
  const options = { again: true, timeout: 4000 };
  assert.deepEqual(await inspector.post('/api/v1/checks', { token: 'JX1:' }, options), { action: 'pass' });
  assert.deepEqual(phone.sent.map((call) => call.timeout), [4000, 4000]);
});

test('other refusals and errors are not tried again', async () => {
  for (const status of [404, 429, 500, 502]) {
    const { phone, citizen } = start('kept', problem(status, 'something'));
    const passing = status !== 404;
    await assert.rejects(citizen.get(CODE), { type: 'something', title: 'title of something', status, passing });
    assert.equal(phone.sent.length, 1);
  }
});

test('the server says how long to wait at least, and chance comes on top', async () => {
  for (const status of [503, 429]) {
    const { citizen } = start('kept', busy(5, status), ok({}));
    await citizen.get(CODE);
    assert.deepEqual(waits.splice(0), [5500]);
  }
});

test('what is too long to wait for is left to the page, which is told how long', async () => {
  const late = { statusCode: 503, header: { 'retry-after': '6' }, data: {} };
  const { phone, citizen } = start('kept', late);
  await assert.rejects(citizen.get(CODE), { retryAfter: 6, passing: true });
  assert.equal(phone.sent.length, 1);
});

test('a moment in place of seconds is understood, and nonsense is no time at all', async () => {
  const cases = [['Fri, 20 Mar 2020 04:00:30 GMT', 30], ['Fri, 20 Mar 2020 03:00:00 GMT', 0], ['soon', 0], ['-5', 0]];
  for (const [header, seconds] of cases) {
    const { citizen } = start('kept', problem(404, 'not-found', { header: { 'Retry-After': header } }));
    await assert.rejects(citizen.get(CODE), { retryAfter: seconds });
  }
});

test('no further attempt begins more than ten seconds after the first', async () => {
  const { phone, citizen } = start('kept');
  phone.server = () => {
    mock.timers.tick(8000); // the time-out of each attempt
    return 'timeout';
  };
  await assert.rejects(citizen.get(CODE), { type: 'timed-out', title: '服务没有及时回答' });
  assert.equal(phone.sent.length, 2);
});

test('a phone has six further attempts a minute for all its calls', async () => {
  const { phone, open } = start('');
  phone.server = () => 'no network';
  const fail = (path) => assert.rejects(open(path), { type: 'offline' });
  for (const path of ['/1', '/2', '/3', '/4', '/5']) await fail(path);
  assert.equal(phone.sent.length, 5 + 6);
  mock.timers.tick(61000);
  await fail('/6');
  assert.equal(phone.sent.length, 11 + 3);
});

test('identical reads that are under way at once share one request, and later ones ask anew', async () => {
  const { phone, citizen } = start('kept', ok({ n: 1 }), ok({ n: 2 }));
  const both = await Promise.all([citizen.get(CODE), citizen.get(CODE)]);
  assert.deepEqual(both, [{ n: 1 }, { n: 1 }]);
  assert.deepEqual(await citizen.get(CODE), { n: 2 });
  assert.equal(phone.sent.length, 2);
});

test('a failed read is not shared with those who ask later', async () => {
  const { phone, citizen } = start('kept', problem(404, 'not-declared'), ok({ n: 2 }));
  await assert.rejects(citizen.get(CODE));
  assert.deepEqual(await citizen.get(CODE), { n: 2 });
  assert.equal(phone.sent.length, 2);
});

test('reads of other paths, callers and languages share nothing, and posts never do', async () => {
  const { phone, citizen, open } = start('kept', ok({}), ok({}), ok({}), ok({}), ok({}), ok({}));
  const calls = [citizen.get(CODE), citizen.get('/api/v1/notices'), open(CODE)];
  phone.stored.settings = { language: 'en' };
  calls.push(citizen.get(CODE), citizen.post('/a', {}), citizen.post('/a', {}));
  await Promise.all(calls);
  assert.equal(phone.sent.length, 6);
});

/* --- answers ------------------------------------------------------------------------------------------------- */

test('204 is an answer of nothing', async () => {
  const { citizen } = start('kept', { statusCode: 204, data: '' });
  assert.equal(await citizen.post('/api/v1/wherever', {}), null);
});

test('bad fields are told under the names of the form', async () => {
  const errors = [
    { pointer: '/document/number', detail: '请核对' },
    { pointer: '/phone', detail: '不正确' },
  ];
  const { citizen } = start('kept', problem(422, 'invalid-request', { errors }));
  await assert.rejects(citizen.post('/api/v1/accounts', {}), {
    fields: { document_number: '请核对', phone: '不正确' },
    passing: false,
  });
});

test('the log-in page of some Wi-Fi is not our server, and the way out is told', async () => {
  for (const statusCode of [200, 302, 403, 511]) {
    const { phone, citizen } = start('kept', { statusCode, data: '<html>Welcome to our Wi-Fi</html>' });
    const type = statusCode === 511 ? 'unavailable' : 'not-our-server';
    await assert.rejects(citizen.get(CODE), (told) => told.type === type && told.way !== '');
    assert.equal(phone.sent.length, 1);
  }
});

test('JSON that is no object is not our server either', async () => {
  for (const data of ['"GREEN"', '3', 'null', 'true', '', undefined]) {
    const { citizen } = start('kept', ok(data));
    await assert.rejects(citizen.get(CODE), { type: 'not-our-server' });
  }
});

test('an error page of a proxy becomes a problem with a sentence', async () => {
  const { citizen } = start('kept', { statusCode: 502, data: '<html>Bad Gateway</html>' });
  await assert.rejects(citizen.get(CODE), { status: 502, type: 'unavailable', title: '服务暂时不可用', passing: true });
});

const ODD = [
  { type: 3, title: 'x' },
  { type: '/problems/../..', title: 'x' },
  { type: '', title: null, errors: 'none' },
  { type: { a: 1 } },
  [],
];
for (const body of ODD) {
  test(`a problem like ${JSON.stringify(body)} is not believed`, async () => {
    const { citizen } = start('kept', { statusCode: 422, header: null, data: body });
    await assert.rejects(citizen.get(CODE), { type: 'not-our-server', status: 422, fields: {} });
  });
}

test('what is odd in a problem is left out, and the rest is told', async () => {
  const errors = [null, 3, {}, { pointer: 4, detail: 'x' }, { pointer: '/phone', detail: { a: 1 } }];
  const { citizen } = start('kept', problem(422, 'token-expired', { title: 7, errors }));
  await assert.rejects(citizen.get(CODE), { title: '此码已过期，请让对方刷新吉祥码', fields: { phone: '' } });
  const long = start('kept', problem(422, 'some-news', { title: 'x'.repeat(9999), errors: { a: 1 } }));
  await assert.rejects(long.citizen.get(CODE), (told) => told.title.length === 500 && told.way === '');
  const named = start('kept', problem(422, 'constructor', { title: null }));
  await assert.rejects(named.citizen.get(CODE), { type: 'constructor', title: '操作未能完成' });
});

test('an answer that is too large is given up as soon as its headers tell, and not asked for again', async () => {
  const { phone, citizen } = start('kept', ok({}, { 'content-length': String(5 * 1024 * 1024) }));
  await assert.rejects(citizen.get(CODE), { type: 'answer-too-large', passing: false });
  assert.equal(phone.aborted.length, 1);
  assert.equal(phone.sent.length, 1);
});

test('an answer that is too large without saying so is not read', async () => {
  const { citizen } = start('kept', ok(`{"a": "${'x'.repeat(1024 * 1024)}"}`));
  await assert.rejects(citizen.get(CODE), { type: 'answer-too-large' });
});

test('an answer of a megabyte is read', async () => {
  const text = `{"a": "${'x'.repeat(1024 * 1024 - 9)}"}`;
  const { citizen } = start('kept', ok(text, { 'Content-Length': String(text.length) }));
  assert.equal((await citizen.get(CODE)).a.length, 1024 * 1024 - 9);
});

test('a phone that cannot tell headers early reads answers all the same', async () => {
  const { citizen } = start('kept', ok({ n: 1 }));
  const { request } = global.wx;
  global.wx.request = (call) => {
    request(call);
  };
  assert.deepEqual(await citizen.get(CODE), { n: 1 });
});

test('the chosen language goes with every call, and the phone speaks it too', async () => {
  const { phone, citizen } = start('kept', 'timeout', 'timeout', 'timeout');
  phone.stored.settings = { language: 'en', large: false };
  await assert.rejects(citizen.get(CODE), {
    title: 'The service did not answer in time',
    way: 'The network may be slow; try again shortly.',
  });
  assert.equal(phone.sent[0].header['Accept-Language'], 'en');
});

test('what the server says about a token gets the way out that the phone knows', async () => {
  const { inspector } = start('shift', problem(422, 'token-forged'));
  const both = (told) => told.title === 'title of token-forged' && told.way !== '';
  await assert.rejects(inspector.post('/api/v1/checks', {}), both);
});
