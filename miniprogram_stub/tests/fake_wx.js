/*
 * A WeChat for tests: storage, log-in, and a server that gives the answers laid ready for it, in their order.
 * It does not know our server: it only shows what was sent, and hands over what the test decides.
 *
 * An answer is {statusCode, header, data}, 'no network', 'timeout', or 'silence' for one that never comes.
 */
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/* Calls that only make the phone do something: what they were given is kept in phone.called. */
const DEEDS = [
  'setNavigationBarTitle', 'setNavigationBarColor', 'showToast', 'hideToast', 'showLoading', 'hideLoading', 'showModal',
  'showActionSheet', 'vibrateShort', 'vibrateLong', 'setScreenBrightness', 'getScreenBrightness', 'setKeepScreenOn',
  'pageScrollTo', 'stopPullDownRefresh', 'makePhoneCall', 'setClipboardData', 'hideShareMenu', 'scanCode',
  'requestSubscribeMessage', 'onNetworkStatusChange', 'offNetworkStatusChange', 'openSetting', 'getSetting',
  'onUserCaptureScreen', 'offUserCaptureScreen', 'setVisualEffectOnCapture', 'getNetworkType', 'nextTick',
];
const WAYS = ['navigateTo', 'redirectTo', 'reLaunch'];

/*
 * Make a fresh `wx` in the global place where the mini-program looks for it. The phone that comes back shows what was
 * sent, stored, opened and called; phone.server(call), when a test sets it, answers when no answer is laid ready.
 * phone.picks has what its owner chooses, in order: files as WeChat tells them, or why there are none; phone.files their base64,
 * and phone.drawn the sizes of those that WeChat can draw smaller.
 */
function fakeWx(...answers) {
  const phone = {
    sent: [], aborted: [], stored: {}, logins: 0, opened: [], called: [], answers,
    needAuthorization: false, envVersion: 'develop', server: null, full: false, logsIn: true, language: 'zh_CN', picks: [], files: {}, drawn: {},
  };
  global.wx = { ...storage(phone), ...network(phone), ...deeds(phone) };
  return phone;
}

/* Keeps copies, as a phone does; phone.full makes it refuse. */
function storage(phone) {
  return {
    getStorageSync: (key) => (key in phone.stored ? structuredClone(phone.stored[key]) : ''),
    setStorageSync: (key, value) => {
      if (phone.full) throw new Error('setStorageSync:fail exceed storage max size');
      phone.stored[key] = structuredClone(value);
    },
    removeStorageSync: (key) => delete phone.stored[key],
    clearStorageSync: () => {
      phone.stored = {};
    },
  };
}

function network(phone) {
  return {
    login: ({ success, fail }) => {
      phone.logins += 1;
      if (phone.logsIn) success({ code: `code-${phone.logins}` });
      else fail({ errMsg: 'login:fail' });
    },
    request: (call) => {
      const state = { over: false, listeners: [] };
      phone.sent.push(call);
      setImmediate(() => deliver(call, state, phone.answers.shift() || (phone.server && phone.server(call))));
      return {
        abort: () => {
          phone.aborted.push(call);
          finish(state, () => call.fail({ errMsg: 'request:fail abort' }));
        },
        onHeadersReceived: (listener) => state.listeners.push(listener),
      };
    },
  };
}

function deeds(phone) {
  const calls = { getAppBaseInfo: () => ({ language: phone.language }) };
  DEEDS.forEach((name) => {
    calls[name] = (given) => phone.called.push({ name, given });
  });
  WAYS.forEach((name) => {
    calls[name] = ({ url }) => phone.opened.push(url);
  });
  calls.getAccountInfoSync = () => ({ miniProgram: { envVersion: phone.envVersion } });
  calls.getPrivacySetting = ({ success }) => success({ needAuthorization: phone.needAuthorization });
  calls.createInnerAudioContext = () => sound(phone);
  ['chooseMedia', 'chooseMessageFile'].forEach((name) => {
    calls[name] = (given) => choose(phone, name, given);
  });
  calls.compressImage = ({ src, success, fail }) => (src in phone.drawn ? success({ tempFilePath: `${src}-small` }) : fail({}));
  calls.getFileSystemManager = () => ({
    getFileInfo: ({ filePath, success }) => success({ size: phone.drawn[filePath.replace('-small', '')] }),
    readFile: (given) => readFile(phone, given),
    writeFile: ({ filePath, data, success, fail }) => {
      if (phone.full) return fail({ errMsg: 'writeFile:fail the maximum size of the file storage limit is exceeded' });
      phone.files[filePath] = structuredClone(data);
      return success({});
    },
  });
  calls.env = { USER_DATA_PATH: 'wxfile://usr' };
  calls.navigateBack = () => phone.opened.push('back');
  return calls;
}

/* What it is told to do is in phone.called: {name: 'sound.play', given: its address}. */
function sound(phone) {
  const made = { src: '' };
  ['play', 'stop', 'pause', 'destroy', 'onError', 'onEnded', 'offError', 'offEnded'].forEach((name) => {
    made[name] = () => phone.called.push({ name: `sound.${name}`, given: made.src });
  });
  return made;
}

function choose(phone, name, given) {
  phone.called.push({ name, given });
  const picked = phone.picks.shift();
  if (typeof picked === 'string') given.fail({ errMsg: `${name}:fail ${picked}` });
  else given.success({ tempFiles: picked });
}

function readFile(phone, { filePath, success, fail }) {
  if (filePath in phone.files) success({ data: phone.files[filePath] });
  else fail({ errMsg: `readFile:fail no such file or directory, open ${filePath}` });
}

function deliver(call, state, answer) {
  if (!answer) throw new Error(`no answer was laid ready for ${call.method} ${call.url}`);
  if (answer === 'silence') return;
  if (answer === 'no network') finish(state, () => call.fail({ errMsg: 'request:fail ' }));
  else if (answer === 'timeout') finish(state, () => call.fail({ errMsg: 'request:fail timeout' }));
  else {
    const { statusCode, header = {}, data } = answer;
    state.listeners.forEach((listener) => listener({ header }));
    finish(state, () => call.success({ statusCode, header, data: call.responseType === 'arraybuffer' ? data : asText(data) }));
  }
}

function finish(state, how) {
  if (state.over) return;
  state.over = true;
  how();
}

/* WeChat gives JSON as a text to who asks for a text, and so do all calls of utils/sending.js. */
function asText(data) {
  return typeof data === 'object' && data !== null ? JSON.stringify(data) : data;
}

function ok(data, header = {}) {
  return { statusCode: 200, header, data };
}

function problem(statusCode, type, more = {}) {
  const { header = {}, ...body } = more;
  const usual = { type: `/problems/${type}`, title: `title of ${type}`, status: statusCode };
  return { statusCode, header, data: { ...usual, ...body } };
}

/* A module of the mini-program, loaded anew, so that no test sees the state of another. */
function fresh(file) {
  Object.keys(require.cache)
    .filter((name) => name.startsWith(ROOT) && !name.startsWith(__dirname) && !name.includes('node_modules'))
    .forEach((name) => delete require.cache[name]);
  return require(path.join(ROOT, file));
}

/* A page as the mini-program would open it, without its life's events. */
function openPage(file) {
  let page = null;
  global.getApp = () => ({});
  global.Page = (options) => {
    page = { ...options, data: { ...options.data } };
  };
  fresh(file);
  page.setData = (changes, done) => {
    Object.keys(changes).forEach((key) => put(page.data, key, changes[key]));
    if (done) done();
  };
  return page;
}

/* A key of setData may be a path: 'fields.phone', 'rows[2].open'. */
function put(data, key, value) {
  const steps = key.replace(/\[(\d+)\]/g, '.$1').split('.');
  const last = steps.pop();
  const place = steps.reduce((object, step, index) => {
    if (object[step] === undefined) object[step] = /^\d+$/.test(steps[index + 1] || last) ? [] : {};
    return object[step];
  }, data);
  place[last] = value;
}

module.exports = { fakeWx, fresh, ok, openPage, problem };
