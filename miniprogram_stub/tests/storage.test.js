/* A phone whose storage is full: WeChat throws, and everything works until the mini-program ends. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { fakeWx, fresh, ok, openPage } = require('./fake_wx.js');

const ROOT = path.join(__dirname, '..');
const COLUMNS = [{ id: 'jixiang-code', title: '人人有码、码上行动', entries: [{ id: 'show-code', page: 'pages/code/code' }] }];
const ACCOUNT = { name: '示*', document_number: '2****1' };

test('nothing but the helper asks WeChat to keep something', () => {
  const files = fs.readdirSync(ROOT, { recursive: true }).filter((name) => name.endsWith('.js') && !/node_modules|^tests|\.pack/.test(name));
  const asking = files.filter((name) => /\bwx\.\w*Storage/.test(fs.readFileSync(path.join(ROOT, name), 'utf8')));
  assert.deepEqual(asking, [path.join('utils', 'storage.js')]);
  assert.ok(files.length > 50);
});

test('the home page shows what the server said, and somebody logs in, agrees and chooses a language', async () => {
  const phone = fakeWx(ok({ columns: COLUMNS, ending: { title: '服务将结束', advice: '' } }), ok({ session: 'new', account: ACCOUNT }), ok({ as_of: '2026-12-01T00:00:00Z' }));
  phone.full = true;
  const page = openPage('pages/home/home.js');
  page.onLoad({});
  await page.load();
  assert.deepEqual([page.data.problem, page.data.columns[0].title, page.data.ending.title], [null, COLUMNS[0].title, '服务将结束']);
  const { citizen } = require('../utils/request.js');
  await citizen.get('/api/v1/code');
  assert.equal(phone.sent.at(-1).header.Authorization, 'Bearer new');
  assert.deepEqual([citizen.account(), citizen.isKnown()], [ACCOUNT, true]);
  const privacy = require('../utils/privacy.js');
  privacy.agree();
  assert.equal(await privacy.isMissing(), false);
  page.changeSize();
  assert.equal(page.data.large, true);
  assert.deepEqual(phone.stored, {});
});

test('what must not come back does not: another account, and a visit that was forgotten', () => {
  const phone = fakeWx();
  const visit = { venue: 1, place: 1, name: '示例商场', entrance: '东门', at: '2026-12-01T08:00:00+08:00', ends: Date.now() + 86400000 };
  Object.assign(phone.stored, { 'citizen.session': 'former', 'citizen.account': ACCOUNT, [fresh('utils/sending.js').VISITS]: [visit, { ...visit, place: 2 }] });
  phone.full = true;
  const visits = fresh('utils/visits.js');
  visits.forget(visit);
  assert.deepEqual(visits.list().map(({ place }) => place), [2]);
  require('../utils/request.js').citizen.keep({ session: 'next', account: { ...ACCOUNT, document_number: '2****2' } });
  const { citizen } = fresh('utils/request.js'); // the mini-program is started again
  assert.deepEqual([citizen.isKnown(), citizen.account(), fresh('utils/visits.js').list()], [false, null, []]);
});

test('what was kept before is there again after a restart, and room that is made again is used', () => {
  const phone = fakeWx();
  const settings = fresh('utils/settings.js');
  settings.change({ language: 'en' });
  phone.full = true;
  settings.change({ language: 'ko' });
  assert.equal(settings.read().language, 'ko');
  assert.equal(fresh('utils/settings.js').read().language, 'en');
  const again = fresh('utils/settings.js');
  again.change({ language: 'ko' });
  phone.full = false;
  again.change({ large: true });
  assert.deepEqual([phone.stored.settings.language, phone.stored.settings.large], ['ko', true]);
});

test('who takes a code for later is told that it is not kept, and has it until then', async () => {
  const later = { token: 'later', begins_at: new Date(Date.now() - 1000).toISOString(), ends_at: new Date(Date.now() + 60000).toISOString() };
  const phone = fakeWx(ok({ state: 'GREEN', color: 'GREEN', word: '绿码', as_of: new Date().toISOString(), strip: [later] }));
  phone.stored['citizen.session'] = 'session';
  phone.full = true;
  const strip = fresh('utils/strip.js');
  await assert.rejects(strip.take(), { type: 'strip-unkept', title: '手机空间不足，未能保存离线码' });
  assert.equal(strip.current().token, 'later');
});

test('a check that finds no room is refused, and not sent behind the back of who was refused', () => {
  const phone = fakeWx();
  Object.assign(phone.stored, { 'station.session': 'session', 'station.name': '示例查验点' });
  phone.full = true;
  const queue = fresh('utils/queue.js');
  assert.throws(() => queue.add('token', Date.now(), null), { type: 'queue-full' });
  assert.equal(queue.waiting(), 0);
});
