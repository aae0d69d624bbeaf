/* Consent, the deletion of the account, the addresses of the server, and what WeChat answers to the pop-up. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const ACCOUNT = { username: 'example', name: '示**' };

test('each version of the mini-program has its server, and an unknown one that of the release', () => {
  const server = (envVersion) => {
    const phone = fakeWx();
    phone.envVersion = envVersion;
    return fresh('config.js').server;
  };
  const [develop, trial, release] = ['develop', 'trial', 'release'].map(server);
  assert.equal(new Set([develop, trial, release]).size, 3);
  assert.equal(server('something-new'), release);
  [trial, release].forEach((address) => assert.match(address, /^https:\/\/[a-z0-9.-]+[a-z]$/));
});

test('consent is missing until it was given here for this text, and in WeChat', async () => {
  const phone = fakeWx();
  const privacy = fresh('utils/privacy.js');
  assert.equal(await privacy.isMissing(), true);
  privacy.agree();
  assert.equal(await privacy.isMissing(), false);
  phone.needAuthorization = true;
  assert.equal(await privacy.isMissing(), true);
  phone.needAuthorization = false;
  phone.stored['privacy.agreed'] = 'an older version';
  assert.equal(await privacy.isMissing(), true);
});

test('there is no form for registering before the consent, and it goes home without', async () => {
  const phone = fakeWx();
  const page = openPage('pages/register/register.js');
  page.onLoad();
  await page.onShow();
  assert.equal(page.data.consent, 'missing');
  page.refused();
  assert.deepEqual(phone.opened, ['/pages/home/home']);
  page.agreed();
  assert.equal(page.data.consent, 'given');
});

test("WeChat's phone button goes once its numbers are spent", () => {
  fakeWx();
  const page = openPage('pages/register/register.js');
  page.takePhone({ detail: { errMsg: 'getPhoneNumber:fail', errno: 103 } });
  assert.equal(page.data.phoneButton, true, 'who refuses may change their mind');
  page.takePhone({ detail: { errMsg: 'getPhoneNumber:fail', errno: 1400001 } });
  assert.equal(page.data.phoneButton, false);
});

async function openErasure(...answers) {
  const phone = fakeWx(...answers);
  Object.assign(phone.stored, {
    'citizen.session': 'kept',
    'citizen.account': ACCOUNT,
    'declaration.draft': { username: 'example' },
    'privacy.agreed': '2026-12-02',
  });
  const page = openPage('pages/erase/erase.js');
  page.onLoad();
  page.onShow();
  return { phone, page };
}

function modals(phone) {
  return phone.called.filter(({ name }) => name === 'showModal').map(({ given }) => given);
}

test('an account is deleted after one question, its notice is shown, and the phone forgets', async () => {
  const { phone, page } = await openErasure(ok({ erased_at: 'now', notice: 'what is gone' }));
  const done = page.byPassword({ detail: { value: { password: 'a-long-Password-1' } } });
  assert.equal(phone.sent.length, 0, 'nothing is sent before the answer');
  modals(phone)[0].success({ confirm: true });
  await done;
  const [{ method, url, data }] = phone.sent;
  assert.deepEqual([method, data], ['POST', { password: 'a-long-Password-1' }]);
  assert.match(url, /\/api\/v1\/accounts\/me\/erasure$/);
  assert.equal(modals(phone)[1].content, 'what is gone');
  modals(phone)[1].complete();
  assert.deepEqual(phone.opened, ['/pages/home/home']);
  assert.deepEqual(Object.keys(phone.stored), [], 'no session, account, draft or consent is left');
});

test('WeChat confirms with a new code', async () => {
  const { phone, page } = await openErasure(ok({ notice: '' }));
  const done = page.byWeChat();
  modals(phone)[0].success({ confirm: true });
  await done;
  assert.deepEqual(phone.sent[0].data, { wechat_code: 'code-1' });
});

test('who thinks again deletes nothing, and a refusal leaves the phone as it was', async () => {
  const { phone, page } = await openErasure(problem(401, 'wrong-credentials', { errors: [{ pointer: '/password', detail: 'wrong' }] }));
  const first = page.byWeChat();
  modals(phone)[0].success({ confirm: false });
  await first;
  assert.equal(phone.sent.length, 0);
  const second = page.byPassword({ detail: { value: { password: 'x' } } });
  modals(phone)[1].success({ confirm: true });
  await second;
  assert.equal(page.data.problem.fields.password, 'wrong');
  assert.equal(phone.stored['citizen.session'], 'kept');
});

test('whatever WeChat answers to the pop-up goes to the server, which knows its words', async () => {
  const phone = fakeWx(ok({ subscriptions: [] }));
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/subscriptions/subscriptions.js');
  page.onLoad();
  page.ask('t');
  const [{ given }] = phone.called.filter(({ name }) => name === 'requestSubscribeMessage');
  await given.success({ errMsg: 'requestSubscribeMessage:ok', t: 'acceptWithAlert' });
  assert.deepEqual(phone.sent[0].data, { t: 'acceptWithAlert' });
});
