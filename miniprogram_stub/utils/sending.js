/*
 * Sends one call to the server: time-out, size, and few careful further attempts. Knows of no session.
 *
 * A crowd must not become a storm. Only what may be repeated is sent again, at most twice, at times that chance
 * spreads, never against the server's Retry-After, never for long while somebody waits, and rarely in all: each phone
 * has a budget for it. Identical reads that are under way at once are one. Never shows anything and never logs.
 */
const answers = require('./answers.js');
const clock = require('./clock.js');
const config = require('../config.js');
const ending = require('./ending.js');
const problems = require('./problems.js');
const settings = require('./settings.js');

const TIMEOUT = 8000; // milliseconds
const VISITS = 'visits'; // where utils/visits.js keeps where this phone was
const STRIP = 'code.strip'; // where utils/strip.js keeps codes, which end with the account on this phone
const FURTHER = 2; // attempts after the first
const PATIENCE = 5; // seconds of Retry-After that somebody before a screen waits for
const LATEST = 10000; // milliseconds after the first attempt in which a further one may begin
const BUDGET = 6; // further attempts in a minute, whatever calls they belong to
const MINUTE = 60000;
const FILE_TIMEOUT = 20000; // milliseconds
const LARGEST_FILE = 8 * 1024 * 1024; // bytes
const REFUSED_FILES = { 401: 'session-expired', 404: 'no-paper-card', 410: 'service-ended', 429: 'too-many-requests' };

const underWay = {};
let spent = []; // when further attempts began

/* GET; resolves to JSON. Callers that share an answer must not change it. */
function read({ path, session }) {
  const key = [settings.read().language, session || '', path].join('\n');
  if (!underWay[key]) {
    const done = () => delete underWay[key];
    underWay[key] = patiently({ method: 'GET', path, session, again: true });
    underWay[key].then(done, done);
  }
  return underWay[key];
}

/* POST; resolves to JSON, or null for 204. `again` says that it may arrive twice, `timeout` replaces the usual one. */
function post({ path, session, data, again, timeout }) {
  return patiently({ method: 'POST', path, session, data, again, timeout });
}

/* PUT, once; resolves to JSON. */
function put({ path, session, data }) {
  return patiently({ method: 'PUT', path, session, data });
}

/* GET of a file, once; resolves to its temporary path. A refusal is in the file, so only its status is known. */
function download({ path, session }) {
  return new Promise((resolve, reject) => {
    wx.downloadFile({
      url: config.server + path,
      header: headersOf({ session }),
      timeout: FILE_TIMEOUT,
      success: ({ statusCode, tempFilePath }) => {
        if (statusCode === 200) resolve(tempFilePath);
        else reject(refused(problems.made(REFUSED_FILES[statusCode] || 'unavailable', { status: statusCode })));
      },
      fail: ({ errMsg }) => reject(unanswered(errMsg)),
    });
  });
}

/*
 * POST that is answered with a file, once; resolves to the path under which the phone keeps it as `name`.
 * A refusal is JSON here too, and is told as everywhere.
 */
function fetchFile({ path, session, data, name }) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: config.server + path,
      method: 'POST',
      data,
      header: headersOf({ session, data }),
      timeout: FILE_TIMEOUT,
      responseType: 'arraybuffer',
      success: (response) => {
        try {
          if (response.statusCode !== 200) answers.read({ ...response, data: inWords(response.data) });
          keep(response.data, name).then(resolve, reject);
        } catch (problem) {
          reject(refused(problem));
        }
      },
      fail: ({ errMsg }) => reject(unanswered(errMsg)),
    });
  });
}

/*
 * GET of bytes that anyone may see, once, unless they are those `known` by their ETag; resolves to an ArrayBuffer, or to null
 * where nothing is new.
 */
function bytes({ path, known }) {
  return new Promise((resolve, reject) => {
    const task = wx.request({
      url: config.server + path,
      method: 'GET',
      header: known ? { 'If-None-Match': known } : {},
      timeout: FILE_TIMEOUT,
      responseType: 'arraybuffer',
      success: ({ statusCode, data }) => {
        if (statusCode === 200 && data && data.byteLength <= LARGEST_FILE) resolve(data);
        else if (statusCode === 304) resolve(null);
        else reject(problems.made(statusCode === 200 ? 'answer-too-large' : 'unavailable', { status: statusCode }));
      },
      fail: ({ errMsg }) => reject(unanswered(errMsg)),
    });
    refuseLarge(task, reject, LARGEST_FILE);
  });
}

/* Bytes as UTF-8; the mini-program has no TextDecoder on every phone. */
function inWords(bytes) {
  const codes = Array.from(new Uint8Array(bytes), (byte) => `%${byte.toString(16).padStart(2, '0')}`);
  try {
    return decodeURIComponent(codes.join(''));
  } catch (error) {
    return '';
  }
}

/* Keep bytes as a file of the mini-program; resolves to its path. */
function keep(data, name) {
  const filePath = pathOf(name);
  return new Promise((resolve, reject) => {
    wx.getFileSystemManager().writeFile({
      filePath,
      data,
      success: () => resolve(filePath),
      fail: () => reject(problems.made('file-not-kept')),
    });
  });
}

/* The bytes of a file that was kept; rejects where there is none. */
function readKept(name) {
  return new Promise((resolve, reject) => {
    wx.getFileSystemManager().readFile({ filePath: pathOf(name), success: ({ data }) => resolve(data), fail: reject });
  });
}

function pathOf(name) {
  return `${wx.env.USER_DATA_PATH}/${name}`;
}

async function patiently(call) {
  const began = Date.now();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(call);
    } catch (problem) {
      const pause = attempt < FURTHER && call.again ? pauseBefore(attempt, problem) : null;
      if (pause === null || Date.now() + pause - began > LATEST || !afford()) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/* Milliseconds before a further attempt, anywhere between nothing and a limit that doubles; null for none. */
function pauseBefore(attempt, problem) {
  const { type, status, retryAfter } = problem;
  const helps = type === 'offline' || type === 'timed-out' || status === 503 || (status === 429 && retryAfter > 0);
  if (!helps || retryAfter > PATIENCE) return null;
  return 1000 * (retryAfter + Math.random() * 2 ** attempt);
}

function afford() {
  const now = Date.now();
  spent = spent.filter((time) => Math.abs(now - time) < MINUTE);
  if (spent.length >= BUDGET) return false;
  spent.push(now);
  return true;
}

function send(call) {
  return new Promise((resolve, reject) => {
    const sent = Date.now();
    const task = wx.request({
      url: config.server + call.path,
      method: call.method,
      data: call.data,
      header: headersOf(call),
      timeout: call.timeout || TIMEOUT,
      dataType: 'text', // so that the length is seen before anything is parsed
      success: (response) => {
        try {
          resolve(heard(response, sent));
        } catch (problem) {
          reject(refused(problem));
        }
      },
      fail: ({ errMsg }) => reject(unanswered(errMsg)),
    });
    refuseLarge(task, reject);
  });
}

/* A refusal by the server; when it is that the service has ended, nothing stays on this phone. */
function refused(problem) {
  if (problem.type === 'service-ended') ending.forgetAll();
  return problem;
}

function unanswered(errMsg) {
  if (ending.isEnded()) return problems.made('service-ended');
  return problems.made(/time(d )?-?out/i.test(errMsg) ? 'timed-out' : 'offline');
}

function heard(response, sent) {
  const body = answers.read(response);
  ending.goesOn();
  clock.heard(body, answers.headers(response.header), sent, Date.now());
  return body;
}

/* Ends a call as soon as its headers tell that the answer is too large, before it is paid for. */
function refuseLarge(task, reject, most) {
  if (!task || !task.onHeadersReceived) return; // older versions of WeChat
  task.onHeadersReceived(({ header }) => {
    if (!answers.tooLarge(answers.headers(header), most)) return;
    reject(problems.made('answer-too-large'));
    task.abort();
  });
}

function headersOf(call) {
  const header = { 'Content-Type': 'application/json', 'Accept-Language': settings.read().language };
  if (call.session) header.Authorization = `Bearer ${call.session}`;
  return header;
}

module.exports = { read, post, put, download, fetchFile, bytes, keep, readKept, STRIP, VISITS };
