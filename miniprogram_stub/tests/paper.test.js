/* The card on paper: asked for, opened, lost, and checked at a station with network; without: revoked.test.js. */
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const [GENUINE] = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', 'tests', 'vectors', 'papers.json'), 'utf8')).vectors;
const CARD = { issued_at: '2020-03-20T12:00:00+08:00', ends_at: '2020-09-16T23:59:59+08:00', place: 'mini-program', scans_today: 2 };

function logged(...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'session';
  return phone;
}

test('without a card the page offers one, and another kind of refusal is told', async () => {
  logged(problem(404, 'no-paper-card'), problem(403, 'not-registered'));
  const page = openPage('pages/paper/paper.js');
  await page.load();
  assert.deepStrictEqual([page.data.card, page.data.loaded, page.data.problem], [null, true, null]);
  await page.load();
  assert.strictEqual(page.data.problem.type, 'not-registered');
});

test('a first card is issued at once, and another one only after the question', async () => {
  const phone = logged(ok(CARD), ok(CARD));
  const page = openPage('pages/paper/paper.js');
  await page.get();
  assert.deepStrictEqual([phone.sent[0].method, page.data.card.ends, page.data.card.scans_today], ['POST', '2020-09-16', 2]);
  const asked = page.get();
  const { given } = phone.called.find(({ name }) => name === 'showModal');
  assert.strictEqual(phone.sent.length, 1);
  given.success({ confirm: false });
  await asked;
  assert.strictEqual(phone.sent.length, 1);
});

for (const [statusCode, type] of [[404, 'no-paper-card'], [429, 'too-many-requests'], [503, 'unavailable']]) {
  test(`a PDF that is refused with ${statusCode} is told in words`, async () => {
    logged();
    global.wx.downloadFile = ({ success }) => success({ statusCode, tempFilePath: 'a' });
    const page = openPage('pages/paper/paper.js');
    await page.open();
    assert.strictEqual(page.data.problem.type, type);
    assert.ok(page.data.problem.title);
  });
}

test('a PDF is fetched with the session and opened with its menu, from which it is sent or printed', async () => {
  logged();
  const seen = [];
  global.wx.downloadFile = (call) => {
    seen.push(call.header.Authorization);
    call.success({ statusCode: 200, tempFilePath: 'card' });
  };
  global.wx.openDocument = ({ filePath, fileType, showMenu, success }) => {
    seen.push(filePath, fileType, showMenu);
    success({});
  };
  const page = openPage('pages/paper/paper.js');
  await page.open();
  assert.deepStrictEqual([seen, page.data.problem], [['Bearer session', 'card', 'pdf', true], null]);
});

test('a card that was scanned is kept for the page alone, and sent with the tail', async () => {
  const phone = fakeWx(ok({ state: 'GREEN', color: 'GREEN', word: '绿码', action: 'pass', instruction: '', stale: false, as_of: '2020-03-20T12:00:00+08:00' }));
  phone.stored['station.session'] = 'session';
  const paper = fresh('utils/paper.js');
  assert.deepStrictEqual(['JX2:A', 'JX1:A', '', undefined].map(paper.isPaper), [true, false, false, false]);
  paper.keep(GENUINE.text);
  const result = await paper.check('001X', null);
  assert.deepStrictEqual(JSON.parse(JSON.stringify(phone.sent[0].data)), { token: GENUINE.text, document_tail: '001X' });
  assert.strictEqual(result.action, 'pass');
  assert.ok(!Object.values(phone.stored).some((value) => String(value).includes('JX2:')));
  paper.keep('');
  assert.strictEqual(paper.isKept(), false);
});
