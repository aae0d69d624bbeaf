/*
 * `wx` as the browser plays it, as far as no browser is needed: storage, requests to a real server, the WeChat sandbox's side,
 * and the shape in which calls answer. The document and the dialogs are played by the test.
 */
const assert = require('node:assert/strict');
const http = require('node:http');
const { after, before, test } = require('node:test');

let server = null;
let origin = '';
let answering = () => {};
const asked = [];

before(async () => {
  server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    asked.push(call);
    answering(call, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.closeAllConnections() || server.close());

/* A phone in a browser that the test plays; `chosen` is what its owner does in dialogs. */
async function phoneWith(chosen = {}) {
  const { makeWx } = await import('../wx/wx.js');
  const kept = {};
  const element = { style: {}, classList: { add() {}, remove() {} }, toggleAttribute() {}, offsetHeight: 48 };
  global.document = { documentElement: { lang: 'zh-CN' }, getElementById: () => element };
  global.window = { addEventListener() {}, innerWidth: 390, innerHeight: 844, devicePixelRatio: 2 };
  global.location = { origin };
  Object.defineProperty(global, 'navigator', { value: { onLine: true }, configurable: true });
  global.localStorage = new Proxy(kept, { get: (all, name) => ({ getItem: (key) => (key in all ? all[key] : null), setItem: (key, text) => { all[key] = text; }, removeItem: (key) => delete all[key] }[name]) });
  const told = [];
  const dialogs = { words: () => ({ message: '服务通知' }), ...chosen };
  const pages = { refusal: (url) => (url === '/nowhere' ? 'page "nowhere" is not found' : ''), full: () => false, navigateTo: (url) => told.push(url) };
  const phone = { name: '甲', online: true, tapping: true, dialogs, pages, tell: (event, more) => told.push({ event, ...more }), launched: {} };
  phone.wx = makeWx(phone, { app: { window: { navigationBarTitleText: '试验' } } });
  asked.length = 0;
  return { ...phone, told, phone, element };
}

function json(response, value, status = 200, header = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...header });
  response.end(JSON.stringify(value));
}

/* A sandbox with one template; `setting` is its switch. */
function sandbox(setting = 'accept') {
  return ({ url, body }, response) => {
    if (url.endsWith('/quota')) json(response, { t1: { kind: 'one-time', remaining: 0, setting, title: '变码提醒' } });
    else if (url.endsWith('/subscribe')) json(response, JSON.parse(body));
    else json(response, url.endsWith('/login') ? { code: 'c1' } : { name: '甲' });
  };
}

test('what is stored comes back, and what is not there is an empty string', async () => {
  const { wx } = await phoneWith();
  wx.setStorageSync('a', { b: [1, '二'] });
  assert.deepEqual(wx.getStorageSync('a'), { b: [1, '二'] });
  assert.equal(wx.getStorageSync('c'), '');
  wx.removeStorageSync('a');
  assert.equal(wx.getStorageSync('a'), '');
});

test('storage keeps nothing larger than WeChat does', async () => {
  const { wx } = await phoneWith();
  const most = 'x'.repeat(1024 * 1024 - 20);
  assert.throws(() => wx.setStorageSync('a', 'x'.repeat(1024 * 1024)), /setStorageSync:fail entry size limit reached/);
  for (let number = 0; number < 10; number += 1) wx.setStorageSync(`k${number}`, most);
  assert.throws(() => wx.setStorageSync('k10', most), /setStorageSync:fail the size of the storage is exceeded/);
  wx.setStorageSync('k9', most); // in place of the old one there is room
});

test('each phone sees its own storage, and clearing it leaves that of others', async () => {
  const { makeStorage } = await import('../wx/storage.js');
  await phoneWith();
  const [mine, other] = ['phone:a:', 'phone:b:'].map((prefix) => makeStorage(prefix, Error));
  mine.set('k', 1);
  other.set('k', 2);
  mine.clear();
  assert.deepEqual([mine.get('k'), other.get('k'), other.info().keys], ['', 2, ['k']]);
});

test('the document speaks the language that the mini-program has been set to', async () => {
  const { wx } = await phoneWith();
  wx.setStorageSync('settings', { language: 'en' });
  assert.equal(document.documentElement.lang, 'en');
  wx.clearStorageSync();
  assert.equal(document.documentElement.lang, 'zh-CN');
});

test('an answer of any status is a success, with header, data and errMsg', async () => {
  const { wx } = await phoneWith();
  answering = (call, response) => json(response, { wrong: true }, 429, { 'retry-after': '3' });
  const answer = await wx.request({ url: '/api/v1/code', header: { Authorization: 'Bearer s' } });
  assert.deepEqual([answer.statusCode, answer.data, answer.header['Retry-After'], answer.errMsg], [429, { wrong: true }, '3', 'request:ok']);
  assert.equal(asked[0].headers.authorization, 'Bearer s');
});

test('data goes as JSON in a POST and into the address in a GET', async () => {
  const { wx } = await phoneWith();
  answering = (call, response) => json(response, {});
  await wx.request({ url: '/api/a', method: 'POST', data: { name: '甲' } });
  await wx.request({ url: '/api/b', data: { name: '甲', n: 1 } });
  assert.deepEqual([asked[0].body, asked[0].headers['content-type']], ['{"name":"甲"}', 'application/json']);
  assert.equal(asked[1].url, '/api/b?name=%E7%94%B2&n=1');
});

test('what is not JSON stays a text, and an array buffer comes when it is asked for', async () => {
  const { wx } = await phoneWith();
  answering = (call, response) => response.end('<html>');
  assert.equal((await wx.request({ url: '/api/a' })).data, '<html>');
  assert.equal((await wx.request({ url: '/api/a', responseType: 'arraybuffer' })).data.byteLength, 6);
});

test('a request that gets no answer fails: time-out, abort, no network, a server that is not registered', async () => {
  const { wx, phone } = await phoneWith();
  answering = () => {};
  await assert.rejects(wx.request({ url: '/api/a', timeout: 20 }), { errMsg: 'request:fail timeout' });
  const task = wx.request({ url: '/api/a' });
  task.abort();
  await assert.rejects(task, { errMsg: 'request:fail abort' });
  await assert.rejects(wx.request({ url: 'http://elsewhere.example/a' }), { errMsg: 'request:fail url not in domain list' });
  phone.setOnline(false);
  await assert.rejects(wx.request({ url: '/api/a' }), (problem) => problem.errMsg.startsWith('request:fail '));
});

test('a request task tells the headers before the body, and can stop it there', async () => {
  const { wx } = await phoneWith();
  answering = (call, response) => {
    response.writeHead(200, { 'content-length': '9000000' });
    response.write('x');
  };
  const outcome = await new Promise((resolve) => {
    const task = wx.request({ url: '/api/a', fail: resolve, success: resolve });
    task.onHeadersReceived(({ header }) => header['Content-Length'] > 1000000 && task.abort());
  });
  assert.equal(outcome.errMsg, 'request:fail abort');
});

test('with a callback a call returns nothing and tells success, then complete; without one it is a promise', async () => {
  const { wx } = await phoneWith();
  const heard = [];
  await new Promise((resolve) => {
    const returned = wx.getStorageInfo({ success: (result) => heard.push(result.errMsg), complete: resolve });
    assert.equal(returned, undefined);
  });
  assert.deepEqual(heard, ['getStorageInfo:ok']);
  await assert.rejects(wx.getStorage({ key: 'none' }), { errMsg: 'getStorage:fail data not found' });
  await new Promise((resolve) => wx.navigateTo({ url: '/nowhere', fail: (problem) => resolve(heard.push(problem.errMsg)) }));
  assert.equal(heard[1], 'navigateTo:fail page "nowhere" is not found');
});

test('a call that the shim does not have throws an error that names it', async () => {
  const { wx } = await phoneWith();
  assert.throws(() => wx.chooseInvoice({}), /wx\.chooseInvoice/);
  assert.deepEqual([wx.canIUse('chooseInvoice'), wx.canIUse('scanCode.object.onlyFromCamera')], [false, true]);
});

test('a new phone joins the WeChat sandbox once, then gets its log-in codes', async () => {
  const { wx } = await phoneWith();
  answering = sandbox();
  assert.equal((await wx.login()).code, 'c1');
  await wx.login();
  const name = encodeURIComponent('甲');
  const users = '/wechat-sandbox/sandbox/users';
  assert.deepEqual(asked.map((call) => call.url), [users, `${users}/${name}/login`, `${users}/${name}/login`]);
});

test('a sandbox that began anew gets to know the phone again', async () => {
  const { wx } = await phoneWith();
  let known = true;
  answering = (call, response) => {
    if (call.url.endsWith('/users')) known = true;
    json(response, known ? { code: 'c2' } : { error: 'unknown' }, known ? 200 : 404);
  };
  await wx.login();
  known = false;
  assert.equal((await wx.login()).code, 'c2');
});

test('a subscription is asked for in a tap only', async () => {
  const { wx, phone } = await phoneWith();
  answering = sandbox();
  phone.tapping = false;
  await assert.rejects(wx.requestSubscribeMessage({ tmplIds: ['t1'] }), { errMsg: 'requestSubscribeMessage:fail can only be invoked by user TAP gesture.' });
  phone.tapping = true;
  await assert.rejects(wx.requestSubscribeMessage({ tmplIds: [] }), { errCode: 10001 });
  await assert.rejects(wx.requestSubscribeMessage({ tmplIds: ['unknown'] }), { errCode: 20001 });
  await assert.rejects(wx.requestSubscribeMessage({ tmplIds: ['1', '2', '3', '4', '5', '6'] }), { errCode: 20003 });
});

test('the sheet shows the title of the template, and its answer goes to WeChat and to the page', async () => {
  const shown = [];
  const subscribe = async (name, templates) => shown.push(name, templates[0].title) && { accepted: ['t1'], keep: false };
  const { wx, told } = await phoneWith({ subscribe });
  answering = sandbox();
  const answer = await wx.requestSubscribeMessage({ tmplIds: ['t1'] });
  assert.deepEqual(answer, { errMsg: 'requestSubscribeMessage:ok', t1: 'accept' });
  assert.deepEqual(shown, ['试验', '变码提醒']);
  assert.deepEqual(told, [{ event: 'subscribed', answers: { t1: 'accept' } }]);
});

test('closing the sheet is a refusal', async () => {
  const { wx } = await phoneWith({ subscribe: async () => null });
  answering = sandbox();
  assert.equal((await wx.requestSubscribeMessage({ tmplIds: ['t1'] })).t1, 'reject');
});

test('a choice that is always kept is not asked again, until the settings are changed', async () => {
  let sheets = 0;
  const subscribe = async () => {
    sheets += 1;
    return { accepted: [], keep: true };
  };
  const { wx } = await phoneWith({ subscribe, settings: async () => ({ t1: 'accept' }) });
  answering = sandbox();
  await wx.requestSubscribeMessage({ tmplIds: ['t1'] });
  assert.equal((await wx.requestSubscribeMessage({ tmplIds: ['t1'] })).t1, 'reject');
  assert.equal(sheets, 1);
  assert.deepEqual((await wx.getSetting({ withSubscriptions: true })).subscriptionsSetting.itemSettings, { t1: 'reject' });
  await wx.openSetting({});
  await wx.requestSubscribeMessage({ tmplIds: ['t1'] });
  assert.equal(sheets, 2);
});

test('a template that is switched off is refused without asking', async () => {
  const subscribe = () => assert.fail('it was asked');
  const { wx } = await phoneWith({ subscribe });
  answering = sandbox('reject');
  assert.equal((await wx.requestSubscribeMessage({ tmplIds: ['t1'] })).t1, 'reject');
});

test('scanning tells the text, or that it was cancelled', async () => {
  const { wx } = await phoneWith({ scan: async (onlyFromCamera) => (onlyFromCamera ? null : 'JX1:A') });
  assert.equal((await wx.scanCode()).result, 'JX1:A');
  await assert.rejects(wx.scanCode({ onlyFromCamera: true }), { errMsg: 'scanCode:fail cancel' });
});

test('chosen pictures and documents have a path that can be read, and no more come than were asked for', async () => {
  const asked = [];
  const picture = new File([Uint8Array.from([0xff, 0xd8, 0xff])], 'a.jpg', { type: 'image/jpeg' });
  const document = new File(['%PDF-'], '示例.pdf', { type: 'application/pdf' });
  const files = async (...how) => asked.push(how) && (how[0] === '.pdf' ? [document] : [picture, picture]);
  const { wx } = await phoneWith({ files });
  const { tempFiles, type } = await wx.chooseMedia({ count: 1, mediaType: ['image'] });
  assert.deepEqual([tempFiles.length, tempFiles[0].size, type], [1, 3, 'image']);
  const chosen = await wx.chooseMessageFile({ count: 2, type: 'file', extension: ['pdf'] });
  assert.deepEqual([chosen.tempFiles[0].name, chosen.tempFiles[0].type], ['示例.pdf', 'file']);
  assert.deepEqual(asked, [['image/*', false], ['.pdf', true]]);
  const read = (filePath, encoding) => new Promise((resolve) => {
    wx.getFileSystemManager().readFile({ filePath, encoding, success: ({ data }) => resolve(data), fail: ({ errMsg }) => resolve(errMsg) });
  });
  assert.equal(await read(tempFiles[0].tempFilePath, 'base64'), '/9j/');
  assert.equal(await read(chosen.tempFiles[0].path, 'utf8'), '%PDF-');
  assert.equal((await read(chosen.tempFiles[0].path)).byteLength, 5);
  assert.equal(await read('elsewhere', 'base64'), 'readFile:fail no such file or directory, open elsewhere');
});

test('who closes the album without a choice has cancelled', async () => {
  const { wx } = await phoneWith({ files: async () => null });
  await assert.rejects(wx.chooseMedia({}), { errMsg: 'chooseMedia:fail cancel' });
});

test('those who listen to the network hear when it goes and comes', async () => {
  const { wx, phone } = await phoneWith();
  const heard = [];
  wx.onNetworkStatusChange((state) => heard.push(state));
  phone.setOnline(false);
  phone.setOnline(false);
  assert.deepEqual(heard, [{ isConnected: false, networkType: 'none' }]);
  assert.equal((await wx.getNetworkType()).networkType, 'none');
});

test('the screen is darker below full brightness, and as it was at full', async () => {
  const { wx, element } = await phoneWith();
  await wx.setScreenBrightness({ value: 0.2 });
  assert.match(element.style.filter, /brightness\(0\.48\)/);
  assert.equal((await wx.getScreenBrightness()).value, 0.2);
  await wx.setScreenBrightness({ value: 1 });
  assert.equal(element.style.filter, '');
  await assert.rejects(wx.setScreenBrightness({ value: 2 }));
});

test('bytes become base64 and bytes again', async () => {
  const { wx } = await phoneWith();
  const text = wx.arrayBufferToBase64(Uint8Array.from([0, 1, 254, 255]).buffer);
  assert.equal(text, 'AAH+/w==');
  assert.deepEqual([...new Uint8Array(wx.base64ToArrayBuffer(text))], [0, 1, 254, 255]);
});

test('a phone number waits for the consent to the privacy guide where app.json wants it, and WeChat keeps it', async () => {
  const asked = [];
  const dialogs = { allowPrivacy: async (contract) => asked.push(contract) > 1, allowNumber: async () => false };
  const { wx, phone } = await phoneWith(dialogs);
  assert.equal((await wx.getPrivacySetting()).needAuthorization, false, 'nothing is asked without the switch');
  const { makeWx } = await import('../wx/wx.js');
  const guarded = makeWx(phone, { app: { window: { navigationBarTitleText: '试验' }, __usePrivacyCheck__: true } });
  assert.deepEqual(await guarded.getPrivacySetting(), {
    errMsg: 'getPrivacySetting:ok', needAuthorization: true, privacyContractName: '《试验小程序用户隐私保护指引》',
  });
  const number = () => new Promise((resolve) => guarded.$getPhoneNumber(resolve));
  assert.deepEqual(await number(), { errMsg: 'getPhoneNumber:fail privacy permission is not authorized', errno: 104 });
  assert.match((await number()).errMsg, /user deny/);
  assert.equal((await guarded.getPrivacySetting()).needAuthorization, false);
  assert.equal(asked.length, 2);
});

test("the mini-program's own question decides, and its button agrees", async () => {
  const { phone } = await phoneWith();
  const { makeWx } = await import('../wx/wx.js');
  const wx = makeWx(phone, { app: { __usePrivacyCheck__: true } });
  wx.onNeedPrivacyAuthorization((resolve) => resolve({ event: 'disagree' }));
  await assert.rejects(wx.requirePrivacyAuthorize(), { errMsg: 'requirePrivacyAuthorize:fail privacy permission is not authorized', errno: 104 });
  wx.$agreePrivacy();
  assert.equal((await wx.requirePrivacyAuthorize()).errMsg, 'requirePrivacyAuthorize:ok');
});
