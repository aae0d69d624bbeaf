/* What readers type of a document, and what checks by document come to, against a fake WeChat. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const { fakeWx, fresh, ok, problem } = require('./fake_wx.js');

const PATH = '/api/v1/checks/document';
const DOCUMENT = { type: 'id-card', number: '229999199001010026', name: '示例甲' };
const YELLOW = {
  outcome: 'yellow', state: 'YELLOW', color: 'YELLOW', word: '黄码', action: 'measure', instruction: '请复测体温。',
  as_of: '2020-03-20T12:00:30+08:00', stale: false,
};

function start(...answers) {
  const phone = fakeWx(...answers);
  Object.assign(phone.stored, { 'station.session': 'shift', 'station.name': '长春站' });
  return { phone, documents: fresh('utils/documents.js') };
}

test('a reader may end the parts with a tab or the end of a line, in either order', () => {
  const { documents } = start();
  const { number, name } = DOCUMENT;
  for (const end of ['\t', '\r', '\n', '\r\n', '\t\r\n']) {
    for (const typed of [`${number}${end}${name}${end}`, `${name}${end}${number}`]) {
      assert.ok(documents.isWhole(typed));
      assert.deepEqual(documents.split(typed), { number, name });
    }
  }
  assert.ok(!documents.isWhole(`${number}\r\n`), 'one part alone');
  assert.ok(!documents.isWhole('MIA SAMPLE'));
});

test('a document is sent as it was read, once, and a fever stops whatever the color would allow', async () => {
  const { phone, documents } = start(ok(YELLOW), ok(YELLOW), ok(YELLOW));
  assert.equal((await documents.check(DOCUMENT)).action, 'measure');
  assert.equal((await documents.measure(DOCUMENT, 36.5)).action, 'measure');
  assert.equal((await documents.measure(DOCUMENT, 37.5)).action, 'stop');
  assert.deepEqual(phone.sent.map((call) => new URL(call.url).pathname), [PATH, `${PATH}/temperature`, `${PATH}/temperature`]);
  assert.deepEqual(phone.sent[2].data, { ...DOCUMENT, celsius: 37.5 });
  assert.equal(phone.sent[0].timeout, 4000);
  assert.ok(!JSON.stringify(phone.stored).includes(DOCUMENT.number), 'nothing is kept');
});

test('without network it is said what works instead, and nothing waits', async () => {
  const { phone, documents } = start('no network');
  await assert.rejects(documents.check(DOCUMENT), { type: 'document-offline', title: '没有网络，无法按证件查验' });
  assert.equal(phone.stored['station.queue'], undefined);
});

test('what fails and what takes too long are told apart, and codes are checked as before', async () => {
  for (const [answer, type] of [[problem(503, 'check-failed'), 'check-failed'], [problem(504, 'time-out'), 'time-out'],
    [problem(429, 'document-checks-too-many'), 'document-checks-too-many'], ['timeout', 'timed-out']]) {
    const { phone, documents } = start(answer);
    await assert.rejects(documents.check(DOCUMENT), { type });
    assert.equal(phone.sent.length, 1);
  }
});
