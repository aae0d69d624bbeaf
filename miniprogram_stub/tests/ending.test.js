/* The end of the service: announced where people look, and afterwards no color is left on the phone, also without network. */
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const ENDING = { ends_on: '2026-12-31', title: '吉祥码服务将于 2026-12-31 结束', advice: '您可以导出数据。', notice: null };
const KEPT = {
  'citizen.session': 'session', 'citizen.account': { name: '示例' }, 'code.strip': { strip: [] }, home: [{ id: 'code', entries: [] }],
  'station.session': 'shift', 'station.keys': { set: { keys: [] }, at: 0 }, 'station.queue': [1],
  settings: { language: 'en', large: true },
};

test('what is announced is on the home page, and the code page knows it from there', async () => {
  const phone = fakeWx(ok({ title: '', columns: [], ending: ENDING }));
  const home = openPage('pages/home/home.js');
  await home.load();
  assert.equal(home.data.ending.title, ENDING.title);
  const code = openPage('pages/code/code.js');
  phone.server = () => 'silence';
  code.onShow();
  assert.equal(code.data.ending.title, ENDING.title);
  phone.server = () => ok({ title: '', columns: [], ending: null });
  await home.load();
  assert.equal(home.data.ending, null);
});

for (const [name, path] of [['the citizen', '/api/v1/code'], ['anybody', '/.well-known/jixiang-keys']]) {
  test(`after the end ${name} is told so, and nothing but the settings stays on the phone`, async () => {
    const phone = fakeWx(problem(410, 'service-ended'));
    Object.assign(phone.stored, structuredClone(KEPT));
    const { citizen, open } = fresh('utils/request.js');
    await assert.rejects(path.startsWith('/api') ? citizen.get(path) : open(path), { type: 'service-ended' });
    assert.deepEqual(Object.keys(phone.stored).sort(), ['service.ended', 'settings']);
    assert.equal(phone.stored.settings.language, 'en');
    phone.server = () => 'no network';
    await assert.rejects(open('/api/v1/home'), { type: 'service-ended' });
  });
}

test('the home page shows that it has ended and no way to a code, and is there again with the service', async () => {
  const phone = fakeWx();
  phone.server = () => problem(410, 'service-ended');
  Object.assign(phone.stored, structuredClone(KEPT));
  const home = openPage('pages/home/home.js');
  await home.onShow();
  assert.deepEqual([home.data.ended, home.data.columns, home.data.account], [true, [], null]);
  assert.equal(home.data.problem.type, 'service-ended');
  phone.server = () => ok({ title: '', columns: [], ending: null });
  await home.load();
  assert.deepEqual([home.data.ended, home.data.problem, phone.stored['service.ended']], [false, null, undefined]);
});

test('a code that is on the screen goes from it', async () => {
  const phone = fakeWx(problem(410, 'service-ended'));
  phone.stored['citizen.session'] = 'session';
  const code = openPage('pages/code/code.js');
  code.onLoad();
  code.setData({ image: 'a picture', code: { word: '绿码', state: 'green' }, strip: { word: '绿码' } });
  await code.load();
  assert.deepEqual([code.data.image, code.data.code, code.data.strip], ['', null, null]);
  assert.equal(code.data.problem.type, 'service-ended');
});
