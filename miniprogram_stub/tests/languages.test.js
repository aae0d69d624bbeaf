/* Languages are data: each has every word, says who made it, and Chinese is there where one is missing. */
const assert = require('node:assert/strict');
const test = require('node:test');

const { fakeWx, fresh, openPage, ok } = require('./fake_wx.js');

const ADDED = ['ko'];
const PLACEHOLDER = /\{\w+\}|12345|12320|\d+ MB|openid|PDF|JSON/g;

/* Every text, with its place. */
function everyText(words, place = '') {
  if (typeof words === 'string') return [[place, words]];
  return Object.entries(words).flatMap(([key, inner]) => everyText(inner, `${place}.${key}`));
}

function places(words) {
  return everyText(words).map(([place]) => place).sort();
}

test('every language has every word of every page, in its own file', () => {
  fakeWx();
  const { zh, en } = fresh('utils/texts.js');
  assert.deepEqual(places(en), places(zh));
  ADDED.forEach((code) => assert.deepEqual(places(fresh(`languages/${code}.js`).pages), places(zh), code));
});

test('what a text names is named in every language', () => {
  fakeWx();
  const all = fresh('utils/texts.js');
  const named = (text) => [...new Set(text.match(PLACEHOLDER) || [])].sort().join(' ');
  ADDED.forEach((code) => {
    const chinese = everyText(all.zh).map(([place, text]) => `${place}: ${named(text)}`).sort();
    assert.deepEqual(everyText(all[code]).map(([place, text]) => `${place}: ${named(text)}`).sort(), chinese, code);
  });
});

test('what the phone finds by itself is said in every language', () => {
  fakeWx();
  const { WORDS } = fresh('utils/problems.js');
  ADDED.forEach((code) => {
    const { problems, judging } = fresh(`languages/${code}.js`);
    assert.deepEqual(Object.keys(problems).sort(), Object.keys(WORDS).sort());
    const mute = Object.keys(WORDS).filter((slug) => problems[slug].some((part, at) => Boolean(part) !== Boolean(WORDS[slug].zh[at])));
    assert.deepEqual(mute, [], code);
    const states = ['UNVERIFIED', 'GREEN', 'YELLOW', 'ORANGE', 'RED'].sort();
    assert.deepEqual([Object.keys(judging.states).sort(), Object.keys(judging.unmeasured).sort()], [states, states]);
  });
});

test('an inspector without network reads the language of the phone', () => {
  const phone = fakeWx();
  phone.stored.settings = { language: 'ko' };
  const judging = fresh('utils/judging.js');
  const { word, instruction } = judging.judge('ORANGE', null, 37.3);
  assert.match(word + instruction, /^주황코드돌려보내기/);
  assert.match(judging.judge('GREEN', 38, 37.3).instruction, /체온이 높아.*등록합니다/);
});

test('what is missing in a language is shown in Chinese, and never as a key', () => {
  const { complete } = fresh('utils/languages.js');
  const zh = { common: { retry: '重试' }, added: { afterwards: '以后加的', list: ['一', '二'] } };
  const { ko } = complete({ zh }, 'pages');
  assert.deepEqual(ko, { common: { retry: '다시 시도' }, added: { afterwards: '以后加的', list: ['一', '二'] } });
});

test('a file says who made it and who has reviewed it, and pages lead to the Chinese of what binds until then', () => {
  const phone = fakeWx();
  phone.stored.settings = { language: 'ko' };
  const page = openPage('pages/privacy/privacy.js');
  page.onLoad({});
  assert.deepEqual([page.data.unreviewed, page.data.t.title], ['기계 번역(감수 전)', '개인정보 처리 안내']);
  page.showOriginal();
  assert.equal(page.data.t.title, '个人信息处理说明');
  page.showOriginal();
  assert.equal(page.data.t.title, '개인정보 처리 안내');
  const { CODES, about } = fresh('utils/languages.js');
  CODES.map(about).forEach(({ madeBy, reviewed, unreviewed, binding }) => {
    assert.ok(madeBy);
    assert.ok(reviewed || (unreviewed && binding));
  });
});

test('a phone that speaks Korean begins in Korean, and one may change to each other language by its own name', async () => {
  const phone = fakeWx(ok({ columns: [] }), ok({ columns: [] }));
  phone.language = 'ko';
  const page = openPage('pages/home/home.js');
  page.onLoad({});
  assert.equal(page.data.t.title, '길림성 온라인 행정서비스 홀');
  assert.deepEqual(page.data.others.map(({ name }) => name), ['中文', 'English']);
  await page.changeLanguage({ currentTarget: { dataset: { code: 'en' } } });
  assert.equal(page.data.t.title, 'Jilin Service Hall');
  assert.equal(phone.sent.at(-1).header['Accept-Language'], 'en');
});
