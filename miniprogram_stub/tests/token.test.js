/* Reading tokens without network: the vectors that hold the server too, and what only a phone can get wrong. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { fakeWx, fresh } = require('./fake_wx.js');
const token = require('../utils/token.js');

const ROOT = path.join(__dirname, '..', '..');
const FILE = JSON.parse(fs.readFileSync(path.join(ROOT, 'tests', 'vectors', 'tokens.json'), 'utf8'));
const GOOD = FILE.vectors.find((vector) => vector.expect.state === 'GREEN');

function answer({ text, keys, at }, key_set = FILE.key_sets[keys]) {
  try {
    const read = token.read(text, key_set, Date.parse(at), FILE.skew_seconds);
    return { state: read.state, issued: read.issuedAt, ends: read.endsAt };
  } catch (error) {
    if (!error.type) throw error;
    return { refused: error.type };
  }
}

function expected({ expect }) {
  if (expect.refused) return { refused: `token-${expect.refused}` };
  return { state: expect.state, issued: Date.parse(expect.issued_at), ends: Date.parse(expect.ends_at) };
}

for (const vector of FILE.vectors) {
  test(`the phone reads as the server does: ${vector.name}`, () => {
    assert.deepEqual(answer(vector), expected(vector));
  });
}

test('without a skew the borders are the second of issue and the second of the end', () => {
  const { issuedAt, endsAt } = token.parse(GOOD.text);
  const read = (at) => () => token.read(GOOD.text, FILE.key_sets[GOOD.keys], at, 0);
  assert.throws(read(issuedAt - 1), { type: 'token-not-yet-valid' });
  assert.equal(read(issuedAt)().state, read(endsAt)().state);
  assert.throws(read(endsAt + 1), { type: 'token-expired' });
});

test('the skew is ten seconds unless it is said', () => {
  const { issuedAt } = token.parse(GOOD.text);
  const read = (at) => () => token.read(GOOD.text, FILE.key_sets[GOOD.keys], at);
  read(issuedAt - 10000)();
  assert.throws(read(issuedAt - 10001), { type: 'token-not-yet-valid' });
});

test('a token of which any character is changed is refused, and never breaks the phone', () => {
  for (let at = 0; at < GOOD.text.length; at += 1) {
    const other = GOOD.text[at] === '0' ? '1' : '0';
    const text = GOOD.text.slice(0, at) + other + GOOD.text.slice(at + 1);
    assert.match(answer({ ...GOOD, text }).refused, /^token-(malformed|unknown-key|forged)$/, `character ${at}`);
  }
});

test('what is no text is malformed', () => {
  for (const text of [undefined, null, 7, {}, [], ['JX1:']]) {
    assert.deepEqual(answer({ ...GOOD, text }), { refused: 'token-malformed' });
  }
});

test('a key that is no key verifies nothing', () => {
  const [key] = FILE.key_sets[GOOD.keys].keys;
  for (const x of ['', 'AAAA', `${key.x}AA`, `${key.x.slice(0, -1)}!`, undefined]) {
    assert.deepEqual(answer(GOOD, { keys: [{ ...key, x }] }), { refused: 'token-unknown-key' });
  }
});

test('the phone says of a token what the server says', () => {
  fakeWx();
  const problems = fresh('utils/problems.js');
  const texts = fs.readFileSync(path.join(ROOT, 'app', 'core', 'texts.toml'), 'utf8');
  const lines = [...texts.matchAll(/^(token-[\w-]+) = { status.*zh = "(.+?)", en = "(.+?)"/gm)];
  assert.equal(lines.length, 5);
  for (const [, slug, zh, en] of lines) {
    fakeWx().stored.settings = { language: 'zh' };
    assert.equal(problems.title(slug), zh);
    fakeWx().stored.settings = { language: 'en' };
    assert.equal(problems.title(slug), en);
    assert.notEqual(problems.way(slug), '');
  }
});
