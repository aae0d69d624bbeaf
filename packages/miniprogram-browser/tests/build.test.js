/* The build for the browser: what it makes of a source, and how it says what is wrong with one. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const FIXTURE = path.join(__dirname, 'fixture');
const HOME = path.join(__dirname, '..');
const SOURCE = path.join(HOME, '../../miniprogram_stub');
const made = fs.mkdtempSync(path.join(os.tmpdir(), 'miniprogram-'));

after(() => fs.rmSync(made, { recursive: true, force: true }));

/* A copy of the fixture with other contents in some files; null takes a file away. */
function copyWith(changes = {}) {
  const root = fs.mkdtempSync(path.join(made, 'source-'));
  fs.cpSync(FIXTURE, root, { recursive: true });
  Object.entries(changes).forEach(([file, content]) => {
    if (content === null) fs.rmSync(path.join(root, file));
    else fs.writeFileSync(path.join(root, file), content);
  });
  return root;
}

async function built(root = FIXTURE) {
  const { build } = await import('../build/build.mjs');
  const target = path.join(fs.mkdtempSync(path.join(made, 'target-')), 'built');
  await build(root, target);
  return (file) => fs.readFileSync(path.join(target, file), 'utf8');
}

/* What the build says of a source with these changes. */
async function complaint(changes) {
  try {
    await built(copyWith(changes));
  } catch (error) {
    return error.message;
  }
  return 'nothing';
}

test('a build has the program, the styles, the page that runs them, pictures and sounds', async () => {
  const read = await built();
  assert.match(read('phone.html'), /<script src="phone.js">/);
  assert.match(read('phone.css'), /--rpx:/);
  assert.equal(read('images/blue.svg'), fs.readFileSync(path.join(FIXTURE, 'images/blue.svg'), 'utf8'));
  assert.ok(read('sounds/beep.wav').length > 0);
});

test('in a browser the server is where the page comes from', async () => {
  const program = (await built())('phone.js');
  assert.ok(program.includes('module.exports.server = ""'));
});

test('nothing in the page is written inline, for a strict content policy forbids it', async () => {
  const page = (await built())('phone.html');
  assert.doesNotMatch(page, /style=|<style|<script>|onclick/);
});

test('lengths in rpx and vh are lengths of the phone', async () => {
  const css = (await built(copyWith({ 'pages/second/second.wxss': '.tall { height: 50vh; margin: -1.5rpx 0; }' })))('app.css');
  assert.match(css, /\.tall \{ height: calc\(50 \* var\(--vh\)\); margin: calc\(-1\.5 \* var\(--rpx\)\) 0; \}/);
});

test('a style sheet that another one imports stands in its place', async () => {
  const css = (await built())('app.css');
  assert.ok(css.indexOf('.wide') >= 0 && css.indexOf('.wide') < css.indexOf('.title'));
  assert.doesNotMatch(css, /@import/);
});

test('the styles of a page hold in this page only, and those of a component in it only', async () => {
  const changes = { 'pages/second/second.wxss': 'page, .a .b { color: red; }', 'components/plain/plain.wxss': '.a .b, view { color: red; }' };
  const css = (await built(copyWith(changes)))('app.css');
  assert.match(css, /page:where\(page\[is="pages\/second\/second"\]\), :where\(page\[is="pages\/second\/second"\]\) \.a \.b \{/);
  assert.match(css, /:where\(\[wx-host="components-plain-plain"\]\) \.components-plain-plain--a \.components-plain-plain--b/);
  assert.match(css, /:where\(\[wx-host="components-plain-plain"\]\) view \{/);
});

test('steps of an animation are no selectors', async () => {
  const css = (await built(copyWith({ 'components/plain/plain.wxss': '@keyframes k { 50.5% { left: 0; } to { left: 1px; } }' })))('app.css');
  assert.match(css, /@keyframes k \{ 50\.5% \{ left: 0; \} to \{ left: 1px; \} \}/);
});

const WRONG = [
  ['a tag that is not closed', { 'pages/second/second.wxml': '<view>\n  <text>one</view>' }, /^pages\/second\/second\.wxml:2: missing end tag$/],
  ['an expression that does not end', { 'pages/second/second.wxml': '\n<view>{{a.b(}}</view>' }, /^pages\/second\/second\.wxml:2: /],
  ['a component that nobody made', { 'pages/second/second.wxml': '<view>\n\n<banner /></view>' }, /^pages\/second\/second\.wxml:3: <banner> is neither/],
  ['a page without a template', { 'pages/second/second.wxml': null }, /^app\.json:2: pages\/second\/second\.wxml is missing$/],
  ['a page without code', { 'pages/second/second.js': null }, /^app\.json:2: pages\/second\/second\.js is missing$/],
  ['a component without a template', { 'components/plain/plain.wxml': null }, /^components\/card\/card\.json:1: components\/plain\/plain\.wxml is missing$/],
  ['a component that does not say so', { 'components/plain/plain.json': '{}' }, /^components\/plain\/plain\.json:1: a component needs "component": true$/],
  ['JSON with a mistake', { 'pages/second/second.json': '{\n  "a": 1,\n  b\n}' }, /^pages\/second\/second\.json:\d+: is not JSON/],
  ['an imported template that is not there', { 'templates/row.wxml': null }, /^pages\/all\/all\.wxml:1: templates\/row\.wxml is missing$/],
  ['a WXS module that is not there', { 'utils/more.wxs': null }, /^utils\/words\.wxs:1: utils\/more\.wxs is missing$|^pages\/all\/all\.wxml:1: utils\/more\.wxs is missing$/],
  ['code with a mistake', { 'pages/second/second.js': 'Page({\n  data: [,\n});' }, /^pages\/second\/second\.js:\d: /],
  ['a module that is not there', { 'pages/second/second.js': "\nrequire('./nothing.js');" }, /^pages\/second\/second\.js:2: .*nothing/],
  ['a style sheet with a mistake', { 'pages/second/second.wxss': '.a {\n  color: red;\n' }, /^pages\/second\/second\.wxss:1: /],
  ['a style sheet that imports what is not there', { 'app.wxss': '\n@import "styles/none.wxss";' }, /^app\.wxss:2: styles\/none\.wxss is missing$/],
  ['a file of ours in a style, which a phone does not show', { 'app.wxss': '.a {\n  background: url(/images/blue.svg);\n}' }, /^app\.wxss:2: WXSS cannot show/],
];

WRONG.forEach(([name, changes, said]) => {
  test(`the build refuses ${name}, with file and line`, async () => {
    assert.match(await complaint(changes), said);
  });
});

test('tags in comments and in WXS are not looked for', async () => {
  const source = '<!-- <banner /> --><wxs module="m">module.exports = "<banner>";</wxs><view>{{m}}</view>';
  assert.equal(await complaint({ 'pages/second/second.wxml': source }), 'nothing');
});

test('a build that fails leaves the last one as it is', async () => {
  const { build } = await import('../build/build.mjs');
  const target = path.join(made, 'kept');
  await build(FIXTURE, target);
  await assert.rejects(build(copyWith({ 'app.js': 'App({' }), target));
  assert.ok(fs.existsSync(path.join(target, 'phone.js')));
});

test('the mini-program itself builds', async () => {
  const read = await built(SOURCE);
  assert.ok(read('phone.js').length > 0);
});

test('wcc and wcsc accept the mini-program and the one of these tests', async (context) => {
  const { refusals } = await import('../build/check.mjs');
  const found = refusals(SOURCE);
  if (found === null) return context.skip('there is no wcc and wcsc for this machine');
  assert.deepEqual(found, []);
  return assert.deepEqual(refusals(FIXTURE), []);
});

test('what wcc and wcsc refuse is told as they say it', async (context) => {
  const { refusals } = await import('../build/check.mjs');
  const found = refusals(copyWith({ 'pages/second/second.wxml': '<view>\n<text></view>', 'components/plain/plain.wxss': '.a { .b {' }));
  if (found === null) return context.skip('there is no wcc and wcsc for this machine');
  assert.match(found.join('\n'), /pages\/second\/second\.wxml:2/);
  return assert.match(found.join('\n'), /components\/plain\/plain\.wxss/);
});

[HOME, SOURCE].forEach((folder) => {
  test(`the lock file of ${path.basename(folder)} names no registry, and every version is exact`, () => {
    const lock = fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
    const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    assert.doesNotMatch(lock, /"resolved"/);
    Object.values({ ...dependencies, ...devDependencies }).forEach((version) => assert.match(version, /^\d+\.\d+\.\d+$/));
  });
});

test('the address of a page may be written as seen from another, and its values stay encoded', async () => {
  const { split } = await import('../phone/address.js');
  assert.deepEqual(split('/pages/a/a?x=%E7%A0%81&y=a=b&z'), { path: 'pages/a/a', query: { x: '%E7%A0%81', y: 'a=b', z: '' } });
  assert.deepEqual(split('../b/b?x=1?y=2#z', 'pages/a/a'), { path: 'pages/b/b', query: { x: '1' } });
  assert.equal(split('c', 'pages/a/a').path, 'pages/a/c');
});

test('the first page is the one that the address names, with all that is beside it', async () => {
  const { firstAddress } = await import('../phone/address.js');
  assert.equal(firstAddress('?phone=x', 'pages/home/home'), '/pages/home/home');
  assert.equal(firstAddress('?phone=x&start=pages%2Fa%2Fa&scene=c%3D1', 'pages/home/home'), '/pages/a/a?scene=c%3D1');
});

test('a picture is found from the root or from where it is written, and a data URI is left alone', async () => {
  const { fileAddress } = await import('../phone/address.js');
  assert.equal(fileAddress('/images/a.svg', 'pages/a/a'), 'images/a.svg');
  assert.equal(fileAddress('../../images/a.svg', 'pages/a/a'), 'images/a.svg');
  assert.equal(fileAddress('data:image/gif;base64,AA', 'pages/a/a'), 'data:image/gif;base64,AA');
});
