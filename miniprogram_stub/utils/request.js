/*
 * The one way to the server: session, time-out, one careful retry, and errors in one shape.
 *
 * Owns the stored session. Never shows anything, and never logs: what passes here is personal.
 * Every call answers with a promise, which is rejected with a problem:
 *   type        the slug of the server's problem, 'offline' without an answer of the server
 *   title       a sentence for people
 *   status      of HTTP, 0 when offline
 *   fields      a sentence for each bad field, named as in the forms: document_number for /document/number
 *   retryAfter  seconds to wait before another attempt, 0 when the server did not say
 */
const config = require('../config.js');

const STORED = 'session';
const TIMEOUT = 8000; // milliseconds
const PATIENCE = 5; // seconds that somebody before a screen waits for a second attempt

/* GET with the session; resolves to the JSON answer. */
function get(path) {
  return withSession({ method: 'GET', path });
}

/* GET of what anyone may see, so that it is there also when nobody can log in. */
function getOpen(path) {
  return patiently({ method: 'GET', path });
}

/* GET with the session; resolves to an ArrayBuffer. */
function getBytes(path) {
  return withSession({ method: 'GET', path, bytes: true });
}

/* POST with the session; resolves to the JSON answer. */
function post(path, data) {
  return withSession({ method: 'POST', path, data });
}

/* From now on, speak with this session: registering and logging in answer with a new one. */
function keepSession(session) {
  wx.setStorageSync(STORED, session);
}

async function withSession(call) {
  const session = wx.getStorageSync(STORED) || (await logIn());
  try {
    return await patiently({ ...call, session });
  } catch (problem) {
    // only these: 401 is also the answer to a wrong password, which another session does not mend
    if (!problem.type.startsWith('session-')) throw problem;
    return patiently({ ...call, session: await anotherThan(session) });
  }
}

/* A session in place of a refused one; a call beside this one may have brought it already. */
async function anotherThan(refused) {
  const stored = wx.getStorageSync(STORED);
  return stored && stored !== refused ? stored : logIn();
}

let loggingIn = null;

/* Log in with WeChat and keep the session. Calls at the same time share one log-in, for a code works once. */
function logIn() {
  if (!loggingIn) {
    const done = () => {
      loggingIn = null;
    };
    loggingIn = logInWithWeChat();
    loggingIn.then(done, done);
  }
  return loggingIn;
}

async function logInWithWeChat() {
  const { code } = await new Promise((resolve, reject) => {
    wx.login({ timeout: TIMEOUT, success: resolve, fail: () => reject(offline()) });
  });
  const { session } = await send({ method: 'POST', path: '/api/v1/wechat/login', data: { code } });
  keepSession(session);
  return session;
}

/* One more attempt, for reading only: what was posted may have arrived although no answer came back. */
async function patiently(call) {
  try {
    return await send(call);
  } catch (problem) {
    const passing = problem.status === 0 || problem.status === 503;
    if (call.method !== 'GET' || !passing || problem.retryAfter > PATIENCE) throw problem;
    await wait(problem.retryAfter + 0.3 + Math.random()); // not all phones at the same moment
    return send(call);
  }
}

function wait(seconds) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

function send(call) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: config.server + call.path,
      method: call.method,
      data: call.data,
      header: headers(call),
      timeout: TIMEOUT,
      responseType: call.bytes ? 'arraybuffer' : 'text',
      success: (response) => answered(call, response, resolve, reject),
      fail: () => reject(offline()),
    });
  });
}

function headers(call) {
  const header = { 'Content-Type': 'application/json', 'Accept-Language': 'zh' };
  if (call.session) header.Authorization = `Bearer ${call.session}`;
  return header;
}

function answered(call, response, resolve, reject) {
  const good = response.statusCode >= 200 && response.statusCode < 300;
  const body = good && call.bytes ? response.data : json(response.data);
  if (good && body) resolve(body);
  else if (good) reject(offline()); // not our server: the log-in page of some Wi-Fi
  else reject(problemOf(response, body || {}));
}

/* The object in an answer, or null; wx.request leaves a body as it came when it does not know its type. */
function json(data) {
  try {
    const text = data instanceof ArrayBuffer ? utf8(data) : data;
    const value = typeof text === 'string' ? JSON.parse(text) : text;
    return typeof value === 'object' ? value : null;
  } catch (error) {
    return null;
  }
}

function utf8(buffer) {
  const hex = (byte) => `%${byte.toString(16).padStart(2, '0')}`;
  return decodeURIComponent(Array.from(new Uint8Array(buffer), hex).join(''));
}

function problemOf(response, body) {
  const fields = {};
  (body.errors || []).forEach((error) => {
    fields[fieldName(error.pointer)] = error.detail;
  });
  return {
    type: (body.type || 'unavailable').split('/').pop(),
    title: body.title || '服务暂时不可用，请稍后再试',
    status: response.statusCode,
    fields,
    retryAfter: retryAfter(response.header || {}),
  };
}

function fieldName(pointer) {
  return pointer.slice(1).replace(/\//g, '_');
}

function retryAfter(header) {
  const name = Object.keys(header).find((key) => key.toLowerCase() === 'retry-after');
  return (name && parseInt(header[name], 10)) || 0;
}

function offline() {
  return { type: 'offline', title: '无法连接服务，请检查网络', status: 0, fields: {}, retryAfter: 0 };
}

module.exports = { get, getOpen, getBytes, post, keepSession };
