/* The pages, as a tap or a timer would drive them, against a fake WeChat. */
const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');

const { fakeWx, ok, openPage, problem } = require('./fake_wx.js');

const PICTURE = ok(new Uint8Array([137, 80, 78, 71]).buffer);
const ORANGE = {
  state: 'ORANGE',
  color: 'ORANGE',
  word: '橙码',
  reasons: [
    { rule: 'ORANGE-CONTACT', since: '2020-03-15T08:00:00+08:00', until: null, authorities: ['示例市', '示例省'] },
  ],
  missing: [],
  renew_in: 45,
  as_of: '2020-03-20T12:00:00+08:00',
  stale: false,
};

let timers = [];

/* Time stands still: a timer runs when a test says so. */
beforeEach(() => {
  timers = [];
  const put = (what, milliseconds) => timers.push({ what, seconds: milliseconds / 1000 }) - 1;
  const remove = (index) => {
    if (index !== undefined) timers[index] = null;
  };
  Object.assign(global, { setTimeout: put, setInterval: put, clearTimeout: remove, clearInterval: remove });
});

function running() {
  return timers.filter(Boolean).map((timer) => timer.seconds);
}

function due(seconds) {
  return timers.find((timer) => timer && timer.seconds === seconds).what();
}

async function openCode(...answers) {
  const phone = fakeWx(...answers);
  phone.stored.session = 'kept';
  const page = openPage('pages/code/code.js');
  page.onLoad();
  await page.onShow();
  return { phone, page };
}

test('the code comes with its state, reasons, picture and the time in Beijing', async () => {
  const { page } = await openCode(ok(ORANGE), PICTURE);
  assert.equal(page.data.code.stateClass, 'state-orange');
  assert.equal(page.data.code.reasons[0].since, '2020-03-15 08:00');
  assert.equal(page.data.code.reasons[0].authorities, '示例市、示例省');
  assert.equal(page.data.image, 'data:image/png;base64,iVBORw==');
  assert.match(page.data.time, /^2020-03-20 12:00:0\d$/);
});

test('the code is renewed when the server said, and the new one is shown', async () => {
  const { phone, page } = await openCode(ok(ORANGE), PICTURE);
  phone.answers.push(ok({ ...ORANGE, state: 'GREEN', word: '绿码' }), PICTURE);
  await due(45);
  assert.equal(page.data.code.stateClass, 'state-green');
  assert.deepEqual(running().sort(), [1, 45, 55]);
});

test('a code that cannot be renewed goes from the screen, and is told in words with its time', async () => {
  const { phone, page } = await openCode(ok(ORANGE), PICTURE);
  phone.answers.push(problem(503, 'unavailable', { header: { 'Retry-After': '30' } }));
  await due(45);
  assert.equal(page.data.image, '');
  assert.equal(page.data.problem.type, 'unavailable');
  assert.equal(page.data.code.word, '橙码');
  assert.equal(page.data.code.asOf, '2020-03-20 12:00');
  assert.equal(running().length, 1, 'the time stands still beside no code');
  assert.ok(running()[0] >= 30 && running()[0] <= 60, `asks again after ${running()[0]} s`);
});

test('a code goes from the screen when its renewal takes too long', async () => {
  const { page } = await openCode(ok(ORANGE), PICTURE);
  due(55);
  assert.equal(page.data.image, '');
});

test('who has not declared is told so, and nothing is asked again by itself', async () => {
  const { page } = await openCode(problem(404, 'not-declared'));
  assert.equal(page.data.problem.type, 'not-declared');
  assert.equal(page.data.code, null);
  assert.deepEqual(running(), []);
});

test('a code is told of no longer once its holder is not logged in with an account', async () => {
  const { phone, page } = await openCode(ok(ORANGE), PICTURE);
  phone.answers.push(problem(403, 'not-registered'));
  await due(45);
  assert.equal(page.data.code, null);
  assert.equal(page.data.image, '');
});

test('what is missing leads to a declaration only where a declaration helps', async () => {
  const missing = (id) => openCode(ok({ ...ORANGE, missing: [{ id, text: '' }] }), PICTURE);
  assert.equal((await missing('declaration')).page.data.code.toDeclare, true);
  assert.equal((await missing('verification')).page.data.code.toDeclare, false);
});

test('a page that is left renews nothing, and shows no old code when it comes back', async () => {
  const { phone, page } = await openCode(ok(ORANGE), PICTURE);
  page.onHide();
  assert.equal(page.data.image, '');
  assert.deepEqual(running(), []);
  phone.answers.push(ok(ORANGE), PICTURE);
  const loading = page.onShow();
  page.onHide();
  await loading;
  assert.equal(page.data.image, '', 'the answer came after the page was left');
});

test('an entry of the home page whose page is not here yet cannot be opened', async () => {
  const entries = [{ page: 'pages/code/code' }, { page: 'pages/history/history' }];
  const phone = fakeWx(ok({ title: '', columns: [{ id: 'jixiang-code', entries }] }));
  const page = openPage('pages/home/home.js');
  await page.onLoad();
  assert.deepEqual(page.data.columns[0].entries.map((entry) => entry.here), [true, false]);
  entries.forEach((entry) => page.open({ currentTarget: { dataset: entry } }));
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('a declaration sends what was answered, and nothing that was not', async () => {
  const phone = fakeWx(problem(422, 'invalid-request', { errors: [{ pointer: '/contact', detail: '必填' }] }), ok({}));
  phone.stored.session = 'kept';
  const page = openPage('pages/declare/declare.js');
  await page.submit({ detail: { value: { symptoms: [], consent: [] } } });
  assert.deepEqual(phone.sent[0].data, { symptoms: [], consent: false });
  assert.equal(page.data.problem.fields.contact, '必填');
  page.chooseContact({ detail: { value: 'yes' } });
  page.chooseDay({ detail: { value: '2020-03-15' } });
  await page.submit({ detail: { value: { symptoms: ['cough'], consent: ['yes'] } } });
  assert.deepEqual(phone.sent[1].data, {
    symptoms: ['cough'],
    consent: true,
    contact: true,
    contact_on: '2020-03-15',
  });
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('registering sends the form, keeps the new session and leads to the code', async () => {
  const phone = fakeWx(ok({ session: 'bound', account: {} }));
  phone.stored.session = 'kept';
  const page = openPage('pages/register/register.js');
  page.chooseKind({ detail: { value: '5' } });
  const form = { username: 'example', password: 'An-Example-1', name: '示例', phone: '13800000000' };
  await page.submit({ detail: { value: { ...form, number: 'X1234567' } } });
  assert.deepEqual(phone.sent[0].data, { ...form, document: { type: 'passport', number: 'X1234567' } });
  assert.equal(phone.stored.session, 'bound');
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('logging in keeps the new session and leads to the code', async () => {
  const phone = fakeWx(ok({ session: 'bound', account: {} }));
  phone.stored.session = 'kept';
  const page = openPage('pages/login/login.js');
  await page.submit({ detail: { value: { username: 'example', password: 'An-Example-1' } } });
  assert.equal(phone.sent[0].header.Authorization, 'Bearer kept', 'so that this WeChat user is bound');
  assert.equal(phone.stored.session, 'bound');
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('a refused log-in keeps the session and says why', async () => {
  const phone = fakeWx(problem(401, 'wrong-credentials'));
  phone.stored.session = 'kept';
  const page = openPage('pages/login/login.js');
  await page.submit({ detail: { value: { username: 'example', password: 'wrong' } } });
  assert.equal(page.data.problem.type, 'wrong-credentials');
  assert.equal(page.data.busy, false);
  assert.equal(phone.stored.session, 'kept');
  assert.deepEqual(phone.opened, []);
});
