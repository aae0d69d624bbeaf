/* 家人: one code is drawn at a time, nobody is shown who is not in the last answer, and consent is what was ticked. */
const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');

const { fakeWx, ok, openPage, problem } = require('./fake_wx.js');

const CODE = {
  state: 'GREEN', color: 'GREEN', word: '绿码', title: '示例', advice: '', until: null, token: 'JX1:A', expires_in: 60, renew_in: 45,
  as_of: '2020-03-20T12:00:00+08:00', stale: false,
};
const SINCE = { consent: 'own-account', may_declare: true, since: '2020-03-20T12:00:00+08:00', ends_at: null, without_code: null };
const MEMBERS = [
  { id: 'a', name: '示*', document_number: '1*2', code: CODE, ...SINCE },
  { id: 'b', name: '例*', document_number: '3*4', code: { ...CODE, state: 'ORANGE', color: 'ORANGE', word: '橙码' }, ...SINCE },
];
const AWAY = problem(403, 'not-registered');
const ASKED = [{ id: 'i', name: '示*', phone_ends: '0000', sent_at: SINCE.since, expires_at: SINCE.since }];

beforeEach(() => {
  const none = () => 0;
  Object.assign(global, { setTimeout: none, setInterval: none, clearTimeout: none, clearInterval: none });
});

async function openFamily({ members = MEMBERS, invitations = [] }, ...answers) {
  const phone = fakeWx(ok({ members, most: 8 }), ok({ invitations }), ok({ holders: [] }), ...answers);
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/family/family.js');
  page.onLoad();
  await page.onShow();
  return { phone, page };
}

const tap = (id) => ({ currentTarget: { dataset: { id } } });

test('one code is open at a time, and none is in the page without being drawn', async () => {
  const { page } = await openFamily({});
  assert.equal(page.data.open, 'a');
  const first = page.data.image;
  page.toggle(tap('b'));
  assert.equal(page.data.open, 'b');
  assert.ok(page.data.image && first);
  page.toggle(tap('b'));
  assert.deepEqual([page.data.open, page.data.image], ['', '']);
  assert.ok(!JSON.stringify(page.data).includes('JX1:'), 'the token is in the picture alone');
});

test('a page that is left keeps nobody, and a refusal leaves nobody on the screen', async () => {
  const { page } = await openFamily({}, AWAY, AWAY, AWAY);
  page.onHide();
  assert.deepEqual([page.data.members, page.data.image], [[], '']);
  await page.onShow();
  assert.deepEqual(page.data.members, []);
});

test('a consent is sent as it was ticked', async () => {
  for (const ticked of [false, true]) {
    const { phone, page } = await openFamily({ invitations: ASKED }, ok({ id: 't' }), ok({ members: [], most: 8 }), ok({ invitations: [] }), ok({ holders: [] }));
    if (ticked) page.allow({ ...tap('i'), detail: { value: ['yes'] } });
    await page.accept(tap('i'));
    const sent = phone.sent.find(({ url }) => url.endsWith('/invitations/accept'));
    assert.deepEqual(sent.data, { id: 'i', may_declare: ticked });
  }
});
