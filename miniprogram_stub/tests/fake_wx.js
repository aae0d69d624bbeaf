/*
 * A WeChat for tests: storage, log-in, and a server that gives the answers laid ready for it, in their order.
 * It does not know our server: it only shows what was sent, and hands over what the test decides.
 */
const path = require('node:path');

const ROOT = path.join(__dirname, '..');

/* Make a fresh `wx` in the global place where the mini-program looks for it. */
function fakeWx(...answers) {
  const phone = { sent: [], stored: {}, logins: 0, waited: [], opened: [], answers };
  global.wx = {
    getStorageSync: (key) => phone.stored[key] || '',
    setStorageSync: (key, value) => {
      phone.stored[key] = value;
    },
    login: ({ success }) => {
      phone.logins += 1;
      success({ code: `code-${phone.logins}` });
    },
    request: (call) => {
      phone.sent.push(call);
      setImmediate(() => deliver(call, phone.answers.shift()));
    },
    arrayBufferToBase64: (buffer) => Buffer.from(buffer).toString('base64'),
    navigateTo: ({ url }) => phone.opened.push(url),
    redirectTo: ({ url }) => phone.opened.push(url),
  };
  return phone;
}

function deliver(call, answer) {
  if (!answer) throw new Error(`no answer was laid ready for ${call.method} ${call.url}`);
  if (answer === 'no network') call.fail({ errMsg: 'request:fail' });
  else call.success({ header: {}, ...answer });
}

function ok(data) {
  return { statusCode: 200, data };
}

function problem(statusCode, type, more = {}) {
  const { header = {}, ...body } = more;
  return { statusCode, header, data: { type: `/problems/${type}`, title: `title of ${type}`, status: statusCode, ...body } };
}

/* A module of the mini-program, loaded anew, so that no test sees the state of another. */
function fresh(file) {
  Object.keys(require.cache)
    .filter((name) => name.startsWith(ROOT) && !name.startsWith(__dirname))
    .forEach((name) => delete require.cache[name]);
  return require(path.join(ROOT, file));
}

/* A page as the mini-program would open it, without its life's events. */
function openPage(file) {
  let page = null;
  global.Page = (options) => {
    page = { ...options, data: { ...options.data } };
  };
  fresh(file);
  page.setData = (changes) => Object.assign(page.data, changes);
  return page;
}

module.exports = { fakeWx, fresh, ok, openPage, problem };
