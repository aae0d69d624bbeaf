/* The pages, as a tap or a timer would drive them, against a fake WeChat. */
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { beforeEach, test } = require('node:test');

const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const TOKEN =
  'JX1:RRQT 9P60GO0NB7UW6HOC4R68CK%+6FN0F.B048WY0F.BU28Z-0C24%5Q3 8185$ 5SLNNYJ/$J4/0//TO-U:FF8CAFYK%8W514UTB1000001J0 78LMK%C7D*CY-CGB4P/D7*HM+8EU3S%CCQ2O+MJFP0*P-J2K.PGQ2O0D:M16JOO+F:X9:BM-B14KN 55STN0CPJWOW53/C720';
const ORANGE = {
  state: 'ORANGE',
  color: 'ORANGE',
  word: '橙码',
  reasons: [
    { rule: 'ORANGE-CONTACT', since: '2020-03-15T08:00:00+08:00', until: null, authorities: ['示例市', '示例省'] },
  ],
  missing: [],
  token: TOKEN,
  renew_in: 45,
  expires_in: 60,
  as_of: '2020-03-20T12:00:00+08:00',
  stale: false,
};
const ACCOUNT = { username: 'example', name: '示**' };

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

/* A phone whose owner is logged in. */
function phoneOf(...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'kept';
  phone.stored['citizen.account'] = ACCOUNT;
  return phone;
}

async function openCode(...answers) {
  const phone = phoneOf(...answers);
  const page = openPage('pages/code/code.js');
  page.onLoad();
  await page.onShow();
  return { phone, page };
}

function calledWith(phone, name) {
  return phone.called.filter((call) => call.name === name).map((call) => call.given);
}

/* --- the code --------------------------------------------------------------------------------------------------- */

test('one request brings the code with its picture, reasons, holder and the time in Beijing', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  assert.equal(phone.sent.length, 1);
  assert.equal(page.data.code.state, 'orange');
  assert.equal(page.data.code.reasons[0].since, '2020-03-15 08:00');
  assert.equal(page.data.code.reasons[0].authorities, '示例市、示例省');
  assert.match(page.data.image, /^data:image\//);
  assert.match(page.data.time, /^2020-03-20 1[12]:\d\d:\d\d$/);
  assert.equal(page.data.name, '示**');
});

test('nothing on the page holds the token but the picture', async () => {
  const { page } = await openCode(ok(ORANGE));
  assert.ok(!JSON.stringify({ ...page.data, image: '' }).includes('JX1:'));
});

test('the code is renewed when the server said, and the new one is shown', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  phone.answers.push(ok({ ...ORANGE, state: 'GREEN', word: '绿码' }));
  await due(45);
  assert.equal(page.data.code.state, 'green');
  assert.deepEqual(running().sort(), [1, 45, 60]);
});

test('a code that still holds stays while its renewal fails, and is asked for again behind it', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  phone.answers.push(problem(503, 'unavailable', { header: { 'Retry-After': '30' } }));
  await due(45);
  assert.notEqual(page.data.image, '');
  assert.equal(page.data.problem, null);
  assert.ok(running().some((seconds) => seconds >= 30 && seconds < 60 && seconds !== 45), `waits ${running()}`);
});

test('a code that has ended goes from the screen', async () => {
  const { page } = await openCode(ok(ORANGE));
  due(60);
  assert.equal(page.data.image, '');
});

test('after its end, a code that cannot be renewed is told in words with its time', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  due(60);
  phone.answers.push(problem(503, 'unavailable', { header: { 'Retry-After': '30' } }));
  await due(45);
  assert.equal(page.data.problem.type, 'unavailable');
  assert.equal(page.data.code.word, '橙码');
  assert.equal(page.data.code.asOf, '2020-03-20 12:00');
  assert.equal(running().length, 1, 'the time stands still beside no code');
});

test('who has not declared is told so, and nothing is asked again by itself', async () => {
  const { page } = await openCode(problem(404, 'not-declared'));
  assert.equal(page.data.problem.type, 'not-declared');
  assert.equal(page.data.code, null);
  assert.deepEqual(running(), []);
});

test('a code is told of no longer once its holder is not logged in with an account', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  phone.answers.push(problem(403, 'not-registered'));
  await due(45);
  assert.equal(page.data.code, null);
  assert.equal(page.data.image, '');
});

test('what is missing leads to a declaration only where a declaration helps', async () => {
  const missing = (id) => openCode(ok({ ...ORANGE, missing: [{ id, text: '' }] }));
  assert.equal((await missing('declaration')).page.data.code.toDeclare, true);
  assert.equal((await missing('verification')).page.data.code.toDeclare, false);
});

test('a page that is left renews nothing, and shows no old code when it comes back', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  page.onHide();
  assert.equal(page.data.image, '');
  assert.deepEqual(running(), []);
  phone.answers.push(ok(ORANGE));
  const loading = page.onShow();
  page.onHide();
  await loading;
  assert.equal(page.data.image, '', 'the answer came after the page was left');
});

test('the screen is bright while the code is seen, and as before when it is left', async () => {
  const { phone, page } = await openCode(ok(ORANGE));
  calledWith(phone, 'getScreenBrightness')[0].success({ value: 0.3 });
  page.onHide();
  assert.deepEqual(calledWith(phone, 'setScreenBrightness').map(({ value }) => value), [1, 0.3]);
});

/* --- home ------------------------------------------------------------------------------------------------------- */

test('an entry of the home page whose page is not here cannot be opened', async () => {
  const entries = [{ id: 'a', page: 'pages/code/code' }, { id: 'b', page: 'pages/parking/parking' }];
  const phone = fakeWx(ok({ title: '', columns: [{ id: 'jixiang-code', entries }] }));
  const page = openPage('pages/home/home.js');
  page.onLoad();
  await page.onShow();
  assert.deepEqual(page.data.columns[0].entries.map((entry) => entry.here), [true, false]);
  entries.forEach((entry) => page.openEntry({ currentTarget: { dataset: entry } }));
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('without network the home page is the one of last time, and says so', async () => {
  const phone = phoneOf('no network', 'no network', 'no network');
  phone.stored.home = [{ id: 'jixiang-code', title: '人人有码、码上行动', entries: [{ id: 'a', page: 'pages/code/code' }] }];
  phone.stored['recovery.asked'] = Date.now();
  const page = openPage('pages/home/home.js');
  page.onLoad();
  const shown = page.onShow();
  while (!page.data.problem) {
    await new Promise(setImmediate);
    running().forEach((seconds) => due(seconds));
  }
  await shown;
  assert.equal(page.data.older, true);
  assert.equal(page.data.columns.length, 1);
});

test('the home page asks with its columns whether this phone was unbound, once an hour, and so makes one call', async () => {
  const columns = { title: '', columns: [], session_good: true, recovery: null };
  const phone = phoneOf(ok(columns), ok({ title: '', columns: [] }));
  const page = openPage('pages/home/home.js');
  page.onLoad();
  await page.onShow();
  await page.onShow();
  assert.deepEqual(phone.sent.map(({ url, header }) => [url.endsWith('/api/v1/home'), Boolean(header.Authorization)]), [[true, true], [true, false]]);
});

test('whose session has ended is logged in by WeChat, and reads that the account was recovered', async () => {
  const phone = phoneOf(
    ok({ title: '', columns: [], session_good: false, recovery: null }), problem(401, 'session-expired'),
    ok({ session: 'another', account: null }), ok({ recovery: { at: '2020-03-20T12:00:00+08:00' } }),
    ok({ title: '', columns: [], session_good: null, recovery: null }), ok({ title: '', columns: [], session_good: true, recovery: { at: '' } }),
  );
  const page = openPage('pages/home/home.js');
  page.onLoad();
  await page.onShow();
  assert.deepEqual([page.data.recovered, page.data.account], [true, null]);
  await page.onShow();
  await page.onShow();
  assert.deepEqual([page.data.recovered, phone.sent.length], [true, 6], 'without an account it is asked each time');
});

test('who is logged in is not asked to register', async () => {
  const entries = [{ id: 'register', page: 'pages/register/register' }, { id: 'log-in', page: 'pages/login/login' }];
  const phone = phoneOf(ok({ title: '', columns: [{ id: 'account', entries }] }));
  phone.stored['recovery.asked'] = Date.now();
  const page = openPage('pages/home/home.js');
  page.onLoad();
  await page.onShow();
  assert.deepEqual(page.data.columns, []);
});

/* --- declaration ------------------------------------------------------------------------------------------------ */

function choose(value) {
  return { detail: { value } };
}

/* With nothing to be reminded of, unless the test says so. */
async function openDeclaration(...answers) {
  const phone = phoneOf(ok({ subscriptions: [] }), ...answers);
  const page = openPage('pages/declare/declare.js');
  await page.onLoad();
  phone.sent.length = 0;
  return { phone, page };
}

test('no step of the declaration is left without an answer', async () => {
  const { page } = await openDeclaration();
  page.forward();
  assert.deepEqual(page.data.missing, { ill: true });
  page.chooseIll(choose('yes'));
  page.forward();
  assert.deepEqual(page.data.missing, { symptoms: true });
  page.chooseIll(choose('no'));
  assert.equal(page.data.step, 2, 'an answer that needs no more words leads on');
  page.forward();
  assert.deepEqual(page.data.missing, { contact: true });
  page.chooseContact(choose('yes'));
  page.forward();
  assert.deepEqual(page.data.missing, { contactOn: true });
  assert.equal(page.data.step, 2);
});

test('a declaration sends what was answered, and only with consent', async () => {
  const { phone, page } = await openDeclaration(ok({}));
  page.chooseIll(choose('yes'));
  page.chooseSymptoms(choose(['cough']));
  page.chooseContact(choose('yes'));
  page.chooseDay(choose('2020-03-15'));
  await page.submit();
  assert.equal(phone.sent.length, 0);
  assert.deepEqual(page.data.missing, { consent: true });
  page.chooseConsent(choose(['yes']));
  await page.submit();
  const body = { symptoms: ['cough'], contact: true, contact_on: '2020-03-15', consent: true };
  assert.deepEqual(phone.sent[0].data, body);
  assert.deepEqual(phone.opened, ['/pages/code/code']);
  assert.equal(phone.stored['declaration.draft'], undefined);
});

test('who takes a contact back sends no day of it', async () => {
  const { phone, page } = await openDeclaration(ok({}));
  page.chooseIll(choose('no'));
  page.chooseContact(choose('yes'));
  page.chooseDay(choose('2020-03-15'));
  page.chooseContact(choose('no'));
  page.chooseConsent(choose(['yes']));
  await page.submit();
  assert.deepEqual(phone.sent[0].data, { symptoms: [], contact: false, consent: true });
});

test('a field that the server refuses is shown at its step', async () => {
  const refusal = { errors: [{ pointer: '/contact_on', detail: '日期太早' }] };
  const { page } = await openDeclaration(problem(422, 'invalid-request', refusal));
  page.chooseIll(choose('no'));
  page.go(3);
  page.chooseConsent(choose(['yes']));
  await page.submit();
  assert.equal(page.data.step, 2);
  assert.equal(page.data.problem.fields.contact_on, '日期太早');
});

test('a draft outlives the page for its owner alone, for a day, and never holds the consent', async () => {
  const { phone, page } = await openDeclaration();
  page.chooseIll(choose('no'));
  page.chooseConsent(choose(['yes']));
  const open = async () => {
    const again = openPage('pages/declare/declare.js');
    phone.answers.push(ok({ subscriptions: [] }));
    await again.onLoad();
    return again.data;
  };
  assert.deepEqual([(await open()).ill, (await open()).step, (await open()).consent], ['no', 2, false]);
  phone.stored['citizen.account'] = { ...ACCOUNT, document_number: '110***002X' };
  const { ill, restored } = await open();
  assert.deepEqual([ill, restored, phone.stored['declaration.draft']], ['', false, undefined]);
  phone.stored['citizen.account'] = ACCOUNT;
  fresh('utils/draft.js').keep(ACCOUNT, { ill: 'no' }, Date.now() - 25 * 3600 * 1000);
  assert.equal((await open()).restored, false);
});

const SUBSCRIPTION = { template_id: 'one', title: '变码提醒', balance: 0, last_answer: null };

test('the tap that declares asks for a reminder, and the server is told what was answered', async () => {
  const { phone, page } = await openDeclaration();
  phone.answers.push(ok({ subscriptions: [SUBSCRIPTION] }));
  await page.onLoad();
  phone.sent.length = 0;
  page.chooseIll(choose('no'));
  page.chooseContact(choose('no'));
  page.chooseConsent(choose(['yes']));
  phone.answers.push(ok({}), ok({ subscriptions: [] }));
  const sending = page.submit();
  const [question] = calledWith(phone, 'requestSubscribeMessage'); // asked already: WeChat allows it in a tap alone
  assert.deepEqual(question.tmplIds, ['one']);
  assert.deepEqual(phone.opened, []);
  question.success({ one: 'accept' });
  await sending;
  const posts = phone.sent.map(({ url, data }) => [url.split('/').pop(), data]);
  assert.deepEqual(posts.map(([path]) => path), ['declarations', 'subscriptions']);
  assert.deepEqual(posts[1][1], { one: 'accept' });
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('who cannot be asked, or was asked for good, declares all the same', async () => {
  const settled = [{ ...SUBSCRIPTION, last_answer: 'ban' }, { ...SUBSCRIPTION, balance: null, last_answer: 'accept' }];
  for (const subscriptions of [settled, [SUBSCRIPTION]]) {
    const { phone, page } = await openDeclaration();
    phone.answers.push(ok({ subscriptions }));
    await page.onLoad();
    page.chooseConsent(choose(['yes']));
    phone.answers.push(ok({}));
    const sending = page.submit();
    calledWith(phone, 'requestSubscribeMessage').forEach(({ fail }) => fail({ errMsg: 'no' }));
    await sending;
    assert.deepEqual(phone.opened, ['/pages/code/code']);
    assert.equal(calledWith(phone, 'requestSubscribeMessage').length, subscriptions.length === 1 ? 1 : 0);
  }
});

test('two taps are one declaration', async () => {
  const { phone, page } = await openDeclaration(ok({}));
  page.chooseIll(choose('no'));
  page.chooseContact(choose('no'));
  page.chooseConsent(choose(['yes']));
  await Promise.all([page.submit(), page.submit()]);
  assert.equal(phone.sent.length, 1);
});

/* --- accounts --------------------------------------------------------------------------------------------------- */

const FORM = { name: '示例', number: 'X1234567', phone: '13800000000' };

function openRegistration(...answers) {
  const phone = phoneOf(...answers);
  const page = openPage('pages/register/register.js');
  page.onLoad({});
  const fill = (form) => {
    Object.entries(form).forEach(([field, value]) => page.write({ currentTarget: { dataset: { field } }, detail: { value } }));
  };
  fill(FORM);
  return { phone, page, fill };
}

test('registering sends the form, keeps the new session and leads to the declaration', async () => {
  const { phone, page } = openRegistration(ok({ session: 'bound', account: ACCOUNT }));
  page.chooseKind(choose('5'));
  page.typePhone();
  await page.submit();
  const { number, ...rest } = FORM;
  assert.deepEqual(phone.sent[0].data, { ...rest, document: { type: 'passport', number } });
  assert.equal(phone.stored['citizen.session'], 'bound');
  assert.deepEqual(phone.opened, ['/pages/declare/declare']);
});

test("the number that WeChat vouches for goes as its code, and a used code is asked for anew", async () => {
  const refusal = { errors: [{ pointer: '/phone_code', detail: '请重新点击授权' }] };
  const { phone, page } = openRegistration(problem(422, 'invalid-request', refusal));
  await page.takePhone({ detail: { code: 'once', errMsg: 'getPhoneNumber:ok' } });
  assert.equal(phone.sent[0].data.phone_code, 'once', 'the tap that gives the number sends the form');
  assert.ok(!('phone' in phone.sent[0].data));
  assert.equal(page.data.phoneCode, '');
});

test('another mistake leaves the code of the number for the next try', async () => {
  const refusal = { errors: [{ pointer: '/name', detail: '请填写姓名' }] };
  const { phone, page } = openRegistration(problem(422, 'invalid-request', refusal));
  await page.takePhone({ detail: { code: 'once' } });
  assert.equal(page.data.phoneCode, 'once');
  assert.equal(calledWith(phone, 'pageScrollTo')[0].selector, '.field-wrong');
});

test('user name and password go with the registration of who fills them in, and of nobody else', async () => {
  const { phone, page, fill } = openRegistration(ok({ session: 's', account: ACCOUNT }), ok({ session: 's', account: ACCOUNT }));
  page.chooseOwn();
  await page.submit();
  assert.ok(!('username' in phone.sent[0].data || 'password' in phone.sent[0].data));
  fill({ username: 'example' });
  await page.submit();
  assert.deepEqual([phone.sent[1].data.username, phone.sent[1].data.password], ['example', '']);
});

test('who registered without a password chooses one, with a user name; all others change theirs', async () => {
  const session = ok({ session: 'same', account: ACCOUNT });
  const phone = phoneOf(session, session);
  const open = async (account, value) => {
    phone.stored['citizen.account'] = account;
    const page = openPage('pages/password/password.js');
    page.onLoad({});
    await page.submit({ detail: { value } });
    return phone.sent.pop();
  };
  const first = await open({ ...ACCOUNT, username: '' }, { username: 'example', password: 'An-Example-1' });
  assert.match(first.url, /me\/credentials$/);
  assert.deepEqual(first.data, { username: 'example', password: 'An-Example-1' });
  const later = await open(ACCOUNT, { current: 'An-Example-1', password: 'An-Example-2' });
  assert.match(later.url, /me\/password$/);
});

test('who scans the poster and is registered comes to the code', () => {
  const phone = phoneOf();
  openPage('pages/register/register.js').onLoad({ scene: encodeURIComponent('from=poster') });
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('a scene that cannot be decoded opens the page all the same', () => {
  const phone = phoneOf();
  openPage('pages/register/register.js').onLoad({ scene: '%E0%A4%A' });
  assert.deepEqual(phone.opened, []);
});

test('logging in keeps the new session and leads to the code', async () => {
  const phone = phoneOf(ok({ session: 'bound', account: ACCOUNT }));
  const page = openPage('pages/login/login.js');
  await page.submit({ detail: { value: { username: 'example', password: 'An-Example-1' } } });
  assert.equal(phone.sent[0].header.Authorization, 'Bearer kept', 'so that this WeChat user is bound');
  assert.equal(phone.stored['citizen.session'], 'bound');
  assert.deepEqual(phone.opened, ['/pages/code/code']);
});

test('a refused log-in keeps the session and says why', async () => {
  const phone = phoneOf(problem(401, 'wrong-credentials'));
  const page = openPage('pages/login/login.js');
  await page.submit({ detail: { value: { username: 'example', password: 'wrong' } } });
  assert.equal(page.data.problem.type, 'wrong-credentials');
  assert.equal(page.data.busy, false);
  assert.equal(phone.stored['citizen.session'], 'kept');
  assert.deepEqual(phone.opened, []);
});

/* --- lists and words -------------------------------------------------------------------------------------------- */

test('a list goes on where the part before it ended', async () => {
  const notice = (id) => ({ id, at: '2020-03-20T12:00:00+08:00', state: 'YELLOW', wechat: 'sent' });
  const phone = phoneOf(ok({ notices: [notice(9)], next: 9 }), ok({ notices: [] }), ok({ notices: [notice(3)], next: null }));
  const page = openPage('pages/notices/notices.js');
  page.onLoad({});
  await page.onShow();
  await page.onReachBottom();
  assert.match(phone.sent[2].url, /before=9$/);
  assert.deepEqual(page.data.entries.map(({ key }) => key), [9, 3]);
  assert.equal(page.onReachBottom(), null, 'there is no more');
});

test('a notice says by which way it was sent, and an unknown way as WeChat', async () => {
  const by = (id, channel, wechat = 'sent') => ({ id, at: '2020-03-20T12:00:00+08:00', state: 'YELLOW', wechat, channel });
  const ways = [by(4, 'official'), by(3, 'sms'), by(2, 'subscription'), by(1, 'pigeon'), by(0, 'official', 'expired')];
  phoneOf(ok({ notices: ways, next: null }), ok({ notices: [] }));
  const page = openPage('pages/notices/notices.js');
  page.onLoad({});
  await page.onShow();
  const words = ['公众号已发送', '短信已发送', '微信已发送', '微信已发送', '已过时，微信未再发送'];
  assert.deepEqual(page.data.entries.map(({ wechat }) => wechat), words);
});

/* Every text of both languages, with its place. */
function everyText(words, place = '') {
  if (typeof words === 'string') return [[place, words]];
  return Object.entries(words).flatMap(([key, inner]) => everyText(inner, `${place}.${key}`));
}

test('a page has the name of the link that leads to it, where it is one of several', () => {
  fakeWx();
  for (const { home, password } of Object.values(fresh('utils/texts.js'))) {
    assert.deepEqual([password.title, password.firstTitle], [home.password, home.first]);
  }
});

test('each language has the letters and the punctuation of its own', () => {
  fakeWx();
  const { zh, en } = fresh('utils/texts.js');
  const problems = fresh('utils/problems.js').WORDS;
  const of = (language) => everyText(Object.fromEntries(Object.entries(problems).map(([slug, both]) => [slug, both[language]])));
  const wideInEnglish = [...everyText(en), ...of('en')].filter(([, text]) => /[\u2e80-\u9fff\uff00-\uffef]/.test(text));
  assert.deepEqual(wideInEnglish, []);
  const narrowInChinese = [...everyText(zh), ...of('zh')].filter(([, text]) => /[\u4e00-\u9fff] ?[:;,?!()]/.test(text));
  assert.deepEqual(narrowInChinese, []);
});

test('each problem that the phone finds has a way out', () => {
  fakeWx();
  const { WORDS } = fresh('utils/problems.js');
  const mute = Object.entries(WORDS).filter(([, { zh, en }]) => ![...zh, ...en].every(Boolean));
  // of these the server says what to do, and the fields what is wrong
  assert.deepEqual(mute.map(([slug]) => slug), ['session-missing', 'invalid-request', 'temperature-form', 'document-tail-form']);
});

test('what ends at midnight is told as the end of its day', () => {
  const { end } = fresh('utils/beijing.js');
  const now = Date.parse('2020-12-01T12:00:00+08:00');
  assert.deepEqual(
    [['2020-12-12T00:00:00+08:00', 'zh'], ['2021-01-01T00:00:00+08:00', 'zh'], ['2021-01-02T00:00:00+08:00', 'zh'],
      ['2020-12-12T00:00:00+08:00', 'en'], ['2020-12-12T08:01:00+08:00', 'zh']].map(([text, language]) => end(text, language, now)),
    ['12月11日24时', '12月31日24时', '2021年1月1日24时', '2020-12-11 24:00', '2020-12-12 08:01'],
  );
});

test('type is as large as WeChat is set to, and never smaller than large type', () => {
  fakeWx();
  const { typeOf } = fresh('utils/settings.js');
  const type = (known, large) => {
    global.wx.getAppBaseInfo = () => ({ fontSizeScaleFactor: known });
    const { size, factor } = typeOf({ large });
    return [size, factor];
  };
  assert.deepEqual([type(undefined, false), type(1.1, false), type(0.1, false)], [['', 1], ['', 1.1], ['', 0.9]]);
  assert.deepEqual([type(1.5, false), type(9, false)], [['large', 1.2], ['large', 1.28]]);
  assert.deepEqual([type(1, true), type(1.5, true)], [['large', 1], ['large', 1.2]]);
});

test('a temperature is typed in three taps, and nothing outside the range can be registered', () => {
  const keypad = fresh('utils/keypad.js');
  const type = (keys) => keys.reduce(keypad.press, '');
  assert.equal(keypad.shown(type(['3', '7', '5'])), '37.5');
  assert.equal(keypad.celsius(type(['3', '7', '5', '9'])), 37.5);
  assert.equal(keypad.celsius(type(['3', '7'])), 37);
  assert.equal(type(['3', '7', 'delete']), '3');
  assert.deepEqual(['', '3', '33', '34', '339', '340', '430', '431'].map(keypad.inRange), [
    false, false, false, true, false, true, true, false,
  ]);
});

test('an inspector whose password somebody else has set is asked for one of their own, which is sent with it', async () => {
  const phone = fakeWx(
    problem(403, 'must-change-password'),
    ok({ session: 'shift', expires_at: '', station: '长春站', device: 'known-here' }),
  );
  const page = openPage('pages/station-login/station-login.js');
  await page.submit({ detail: { value: { username: 'demo', password: 'given' } } });
  assert.equal(page.data.mustChange, true);
  assert.equal(page.data.problem.type, 'must-change-password');
  await page.submit({ detail: { value: { username: 'demo', password: 'given', fresh: 'their own' } } });
  assert.deepEqual(
    phone.sent.map((call) => call.data.new_password),
    [undefined, 'their own'],
  );
  assert.equal(phone.stored['station.session'], 'shift');
});

test('a page that loads anew when it is pulled down allows the pull, and no other does', () => {
  const root = join(__dirname, '..');
  const { pages } = JSON.parse(readFileSync(join(root, 'app.json'), 'utf-8'));
  for (const path of pages) {
    const page = openPage(`${path}.js`);
    const { enablePullDownRefresh = false } = JSON.parse(readFileSync(join(root, `${path}.json`), 'utf-8'));
    assert.equal(enablePullDownRefresh, 'onPullDownRefresh' in page, path);
  }
});
