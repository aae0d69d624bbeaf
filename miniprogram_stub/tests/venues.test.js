/* 我的场所: what was chosen is what is sent, a password is shown and not kept, and a hidden page forgets it. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const { fakeWx, ok, openPage, problem } = require('./fake_wx.js');

const AT = '2020-03-20T12:00:00+08:00';
const VENUE = {
  id: 7, name: '示例商场', kind: 'mall', district: '长春市', address: '示例大街 1 号', credit_code: '91220101MA00000000',
  hours: Array(7).fill('08:00-22:00'), offered_until: null,
  entrances: [{ id: 11, name: '东门' }, { id: 12, name: '西门' }],
  inspectors: [{ id: 3, username: 'gate-one', entrance: 12, state: 'active', sessions: [{ id: 9, started_at: AT, seen_at: AT, ends_at: AT }] }],
};
const ALL = { applications: [], venues: [VENUE], offers: [] };
const NOTHING = { statusCode: 204, data: '', header: {} };

async function openVenue(...answers) {
  const phone = fakeWx(ok(ALL), ...answers);
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/venue/venue.js');
  page.onLoad({ id: '7' });
  await page.onShow();
  return { phone, page };
}

const tap = (dataset) => ({ currentTarget: { dataset } });
const lastPost = (phone) => phone.sent.filter(({ method }) => method !== 'GET').pop();

test('an inspector is added at the entrance that was chosen, and the password is shown until the page is hidden', async () => {
  const { phone, page } = await openVenue(ok({ id: 4, password: 'given-once' }), ok(ALL));
  page.choose({ ...tap({ field: 'entrance' }), detail: { value: '1' } });
  page.write({ ...tap({ field: 'username' }), detail: { value: 'gate-two' } });
  await page.add();
  const sent = lastPost(phone);
  assert.ok(sent.url.endsWith('/venues/inspectors'));
  assert.deepEqual(sent.data, { venue: 7, entrance: 12, username: 'gate-two' });
  assert.equal(page.data.given.password, 'given-once');
  assert.ok(!JSON.stringify(phone.stored).includes('given-once'));
  page.onHide();
  assert.equal(page.data.given, null);
});

test('one session is ended, and an inspector is moved to what was picked', async () => {
  const { phone, page } = await openVenue(NOTHING, ok(ALL), NOTHING, ok(ALL));
  assert.equal(page.data.venue.inspectors[0].place, 1);
  await page.endSession(tap({ id: 3, session: 9 }));
  assert.deepEqual(lastPost(phone).data, { venue: 7, inspector: 3, session: 9 });
  await page.move({ ...tap({ id: 3 }), detail: { value: '0' } });
  assert.deepEqual(lastPost(phone).data, { venue: 7, inspector: 3, entrance: 11 });
});

test('an application has entrances, hours and kind as they were entered, and a refusal stays on the form', async () => {
  const phone = fakeWx(problem(409, 'venue-exists'), ok({ id: 1 }));
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/venue-apply/venue-apply.js');
  page.onLoad();
  for (const [field, value] of Object.entries({ name: '示例商场', address: '示例大街 1 号', code: '91220101MA00000000', entrances: '东门、 西门,' })) {
    page.write({ ...tap({ field }), detail: { value } });
  }
  page.writeHours({ ...tap({ day: 6 }), detail: { value: ' ' } });
  page.choose({ ...tap({ field: 'kind' }), detail: { value: '3' } });
  await page.submit();
  assert.deepEqual([page.data.problem.type, page.data.sent], ['venue-exists', false]);
  await page.submit();
  assert.equal(page.data.sent, true);
  const { entrances, hours, kind, district } = lastPost(phone).data;
  assert.deepEqual([entrances, hours[0], hours[6], kind, district], [['东门', '西门'], '08:00-22:00', '', 'hospital', '长春市']);
});

test('who manages the venue no longer is shown nothing of it', async () => {
  const phone = fakeWx(ok({ ...ALL, venues: [] }));
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/venue/venue.js');
  page.onLoad({ id: '7' });
  await page.onShow();
  assert.deepEqual([page.data.venue, page.data.loaded], [null, true]);
});

test('of two venues the one whose code raised an alarm says so in the list', async () => {
  const [one, other] = VENUE.entrances;
  const alarmed = { ...VENUE, id: 8, entrances: [one, { ...other, code: { made_at: AT, ends_at: AT, alarm: true } }] };
  const phone = fakeWx(ok({ ...ALL, venues: [VENUE, alarmed] }));
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/venues/venues.js');
  page.onLoad();
  await page.onShow();
  assert.deepEqual(page.data.venues.map(({ id, alarmed: is }) => [id, Boolean(is)]), [[7, false], [8, true]]);
});
