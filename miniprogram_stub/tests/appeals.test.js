/* The pages of appeals and of who looked at a record, as a tap would drive them, against a fake WeChat. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const { fakeWx, fresh, ok, openPage, problem } = require('./fake_wx.js');

const NONE = ok({ appeals: [] });
const SAID = '我没有去过示例商场。';
const APPEAL = {
  id: 7,
  filed_at: '2020-03-20T12:00:00+08:00',
  decided_at: '2020-03-20T11:00:00+08:00',
  decided_state: 'ORANGE',
  text: SAID,
  state: 'open',
  due_at: '2020-03-21T12:00:00+08:00',
  escalated: false,
  settled_at: null,
  answer: [],
};

/* The form of somebody who is logged in, when the server has answered what it asks first. */
async function openForm(...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'kept';
  const page = openPage('pages/appeal/appeal.js');
  await page.onLoad({});
  return { phone, page };
}

async function openList(file, ...answers) {
  const phone = fakeWx(...answers);
  phone.stored['citizen.session'] = 'kept';
  const page = openPage(file);
  page.onLoad({});
  await page.onShow();
  return { phone, page };
}

function picture(path, size) {
  return { tempFilePath: path, size, fileType: 'image' };
}

function write(page, value) {
  page.write({ detail: { value } });
}

test('an appeal goes with its text and its files as base64, and leads to what becomes of it', async () => {
  const { phone, page } = await openForm(NONE, ok(APPEAL));
  phone.picks.push([picture('p1', 300)], [{ path: 'd1', size: 1500000, name: '示例.pdf', type: 'file' }]);
  phone.files = { p1: '/9j/', d1: 'JVBERi0=' };
  write(page, SAID);
  await page.addPictures();
  await page.addDocuments();
  assert.deepEqual(page.data.files.map(({ told, picture: is }) => [told, is]), [['1 KB', true], ['1.4 MB', false]]);
  await page.submit();
  const [, sent] = phone.sent;
  assert.deepEqual([sent.method, sent.data], ['POST', { text: SAID, attachments: ['/9j/', 'JVBERi0='] }]);
  assert.equal(sent.timeout, 60000);
  assert.deepEqual(phone.opened, ['/pages/appeals/appeals']);
  assert.ok(!JSON.stringify(page.data).includes('JVBERi0='), 'no file is in the data of the page');
});

test('while it is sent the page says what is done and how much goes, and two taps are one appeal', async () => {
  const { phone, page } = await openForm(NONE, ok(APPEAL));
  phone.picks.push([picture('p1', 2048), picture('p2', 2048)]);
  phone.files = { p1: 'A', p2: 'B' };
  const told = [];
  const { setData } = page;
  page.setData = (changes) => {
    if (changes.doing !== undefined) told.push(changes.doing);
    setData(changes);
  };
  write(page, SAID);
  await page.addPictures();
  await Promise.all([page.submit(), page.submit()]);
  assert.deepEqual(told, ['正在读取附件 1/2', '正在读取附件 2/2', '正在发送 4 KB', '']);
  assert.equal(phone.sent.length, 2);
});

test('who has an open appeal is told until when it is answered, and asked for nothing', async () => {
  const { page } = await openForm(ok({ appeals: [APPEAL, { ...APPEAL, state: 'upheld' }] }));
  assert.equal(page.data.due, '2020-03-21 12:00');
  const { page: free } = await openForm(ok({ appeals: [{ ...APPEAL, state: 'upheld' }] }));
  assert.deepEqual([free.data.due, free.data.loaded], ['', true]);
});

test('an appeal without a word is not sent', async () => {
  const { phone, page } = await openForm(NONE);
  write(page, ' \n ');
  await page.submit();
  assert.deepEqual([page.data.missing, phone.sent.length], [true, 1]);
});

test('no more than three files are taken, and none of more than 2 MB', async () => {
  const { phone, page } = await openForm(NONE);
  phone.picks.push([picture('small', 2 * 1024 * 1024), picture('large', 2 * 1024 * 1024 + 1)]);
  await page.addPictures();
  assert.deepEqual([page.data.files.map(({ path }) => path), page.data.tooLarge], [['small'], true]);
  phone.picks.push(['a', 'b', 'c'].map((path) => picture(path, 1)));
  await page.addPictures();
  assert.equal(phone.called.filter(({ name }) => name === 'chooseMedia')[1].given.count, 2);
  assert.deepEqual([page.data.files.map(({ path }) => path), page.data.tooLarge], [['small', 'a', 'b'], false]);
  page.remove({ currentTarget: { dataset: { path: 'a' } } });
  assert.deepEqual(page.data.files.map(({ path }) => path), ['small', 'b']);
});

test('a picture that is too large is drawn smaller, and the smaller one goes', async () => {
  const { phone, page } = await openForm(NONE, ok(APPEAL));
  phone.picks.push([picture('photo', 5 * 1024 * 1024)]);
  Object.assign(phone, { drawn: { photo: 900 * 1024 }, files: { 'photo-small': '/9j/' } });
  write(page, SAID);
  await page.addPictures();
  assert.deepEqual([page.data.files[0].told, page.data.tooLarge], ['900 KB', false]);
  await page.submit();
  assert.deepEqual(phone.sent[1].data.attachments, ['/9j/']);
});

test('to choose nothing is no mistake, and an album that is not allowed is told', async () => {
  const { phone, page } = await openForm(NONE);
  phone.picks.push('cancel', 'auth deny');
  await page.addPictures();
  assert.equal(page.data.problem, null);
  await page.addDocuments();
  assert.equal(page.data.problem.type, 'no-files');
});

test('a file that the phone has let go of is told, and nothing is sent', async () => {
  const { phone, page } = await openForm(NONE);
  phone.picks.push([picture('gone', 1)]);
  write(page, SAID);
  await page.addPictures();
  await page.submit();
  assert.deepEqual([page.data.problem.type, page.data.doing, phone.sent.length], ['no-file', '', 1]);
});

test('a file that the server refuses is marked, and no other', async () => {
  const refusal = { errors: [{ pointer: '/attachments/1', detail: '附件应为图片' }] };
  const { phone, page } = await openForm(NONE, problem(422, 'invalid-request', refusal));
  phone.picks.push([picture('p1', 1), picture('p2', 1)]);
  phone.files = { p1: 'A', p2: 'B' };
  write(page, SAID);
  await page.addPictures();
  await page.submit();
  assert.deepEqual(page.data.files.map(({ wrong }) => wrong), ['', '附件应为图片']);
  assert.deepEqual([page.data.text, page.data.busy, phone.opened], [SAID, false, []]);
});

const WAYS = [
  ['identity-unconfirmed', problem(403, 'identity-unconfirmed'), { toDeclare: true, mayBeThere: false }],
  ['appeal-open', problem(409, 'appeal-open'), { toDeclare: false, mayBeThere: true }],
  ['too-large', problem(413, 'too-large'), { toDeclare: false, mayBeThere: false }],
  ['timed-out', 'timeout', { toDeclare: false, mayBeThere: true }],
];

WAYS.forEach(([type, answer, way]) => {
  test(`an appeal that ends in ${type} is not sent again by itself, and shows the way on`, async () => {
    const { phone, page } = await openForm(NONE, answer);
    write(page, SAID);
    await page.submit();
    const { toDeclare, mayBeThere, again, text } = page.data;
    assert.equal(page.data.problem.type, type);
    assert.deepEqual({ toDeclare, mayBeThere }, way);
    assert.deepEqual([again, text, phone.sent.length], ['', SAID, 2]);
  });
});

test('after too many appeals the page tells from when on, and never too early', async () => {
  const header = { 'Retry-After': '90' };
  const { page } = await openForm(NONE, problem(429, 'appeals-too-many', { header }));
  write(page, SAID);
  const free = Date.now() + 90000;
  await page.submit();
  const told = Date.parse(`${page.data.again.replace(' ', 'T')}:00+08:00`);
  assert.ok(told >= free && told <= free + 61000, page.data.again);
});

test('the list tells until when, the answer, and what was forgotten', async () => {
  const late = { ...APPEAL, escalated: true };
  const mended = { ...APPEAL, id: 6, state: 'mended', settled_at: '2020-03-21T09:30:00+08:00', answer: ['一。', '二。'], text: null };
  const { page } = await openList('pages/appeals/appeals.js', ok({ appeals: [late, mended] }));
  const [first, second] = page.data.entries;
  assert.deepEqual([first.title, first.due, first.late, first.text], ['正在办理', '2020-03-21 12:00', true, SAID]);
  assert.equal(first.about, '2020-03-20 11:00 · 橙码');
  assert.deepEqual([second.title, second.settled, second.late], ['已答复：依据已更正', '2020-03-21 09:30', false]);
  assert.deepEqual([second.answer.map(({ sentence }) => sentence), second.text], [['一。', '二。'], null]);
  assert.equal(page.data.next, null, 'it comes whole');
});

test('an end of an appeal that the phone does not know has words all the same', async () => {
  const { page } = await openList('pages/appeals/appeals.js', ok({ appeals: [{ ...APPEAL, state: 'later' }] }));
  assert.equal(page.data.entries[0].title, '已办结');
});

test('who looked is told by role and institution, in the words of the server, page by page', async () => {
  const look = (role, more) => ({
    at: '2020-03-20T12:00:00+08:00',
    who: { role, words: `words of ${role}`, authority: null, district: null, ...more },
    what: { action: 'record-read', words: '查阅您的记录', part: '依据' },
    why: { reason: 'appeal', words: '办理纠错' },
  });
  const own = { ...look('citizen'), what: { action: 'registered', words: '注册账号', part: null }, why: null };
  const pages = [
    ok({ entries: [look('appeals', { authority: '示例中心' })], next: 3 }),
    ok({ entries: [look('inspector', { district: '长春市' })], next: null }),
    ok({ entries: [own], next: 1 }),
    ok({ entries: [own], next: null }),
  ];
  const { phone, page } = await openList('pages/access/access.js', ...pages);
  await page.onReachBottom();
  assert.match(phone.sent[1].url, /\/record\/access\?whose=others&before=3$/);
  const shown = (entries) => entries.map(({ key, what, whose, why }) => [key, what, whose, why]);
  assert.deepEqual(shown(page.data.entries), [
    [0, '查阅您的记录 · 依据', '示例中心', '办理纠错'],
    [1, '查阅您的记录 · 依据', '长春市', '办理纠错'],
  ]);
  assert.deepEqual([page.data.ownShown, page.data.own], [false, []], 'one\'s own deeds wait to be asked for');
  await page.showOwn();
  await page.moreOwn();
  assert.match(phone.sent[3].url, /\/record\/access\?whose=own&before=1$/);
  assert.deepEqual(shown(page.data.own), [[0, '注册账号', '', ''], [1, '注册账号', '', '']]);
});

test('a size is told as people read it, never smaller than it is', () => {
  const { sizeInWords } = fresh('utils/attachments.js');
  assert.deepEqual([1, 1024, 1025, 999 * 1024, 1000 * 1024, 2 * 1024 * 1024].map(sizeInWords), [
    '1 KB', '1 KB', '2 KB', '999 KB', '1.0 MB', '2.0 MB',
  ]);
});
