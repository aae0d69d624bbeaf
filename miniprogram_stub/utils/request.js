/*
 * The one way to the server, and who speaks on it: anybody, the citizen of this phone, or the inspector at a station.
 *
 * Owns the stored sessions. Never shows anything, and never logs: what passes here is personal. How a call is sent is
 * in utils/sending.js. Every call answers with a promise, which is rejected with a problem (utils/problems.js).
 */
const problems = require('./problems.js');
const sending = require('./sending.js');
const storage = require('./storage.js');

const SESSION = 'citizen.session';
const ACCOUNT = 'citizen.account';
const HOME = '/api/v1/home';
const DOCUMENT = '/api/v1/accounts/me/document';
const STATION_SESSION = 'station.session';
const STATION_NAME = 'station.name';
const STATION_DEVICE = 'station.device';
const LOGIN_TIMEOUT = 8000; // milliseconds

/* GET of what anyone may see, so that it is there also when nobody can log in. */
function open(path) {
  return sending.read({ path });
}

/* The home page's columns; with `asking` also whether this phone was unbound at a service window, in the same call. */
function home(asking) {
  const session = asking && storage.read(SESSION);
  return sending.read(session ? { path: HOME, session } : { path: HOME });
}

/* Keep the account in an answer as that of this phone; resolves to the answer. */
function keepAccount(answer) {
  storage.replace(ACCOUNT, answer.account);
  return answer;
}

/* What this phone keeps only for who is logged in. */
function forgetOfAccount() {
  storage.forget(sending.STRIP);
  storage.forget(sending.VISITS);
}

/* --- the citizen, whom WeChat can log in without asking ------------------------------------------------------- */

const citizen = {
  /* GET with the session; resolves to JSON. */
  get: (path) => asCitizen((session) => sending.read({ path, session })),

  /* POST with the session; resolves to JSON, or null for 204. `timeout`: milliseconds, where much is sent. */
  post: (path, data, { timeout } = {}) => asCitizen((session) => sending.post({ path, data, session, timeout })),

  /* PUT with the session; resolves to JSON. */
  put: (path, data) => asCitizen((session) => sending.put({ path, data, session })),

  /* GET of a file with the session; resolves to where the phone keeps it for a while. */
  file: (path) => asCitizen((session) => sending.download({ path, session })),

  /* Everything that is kept about the citizen as a file, confirmed by {password}, or by WeChat without it. */
  async export(kind, proof) {
    const path = `/api/v1/accounts/me/export${kind === 'pdf' ? '.pdf' : ''}`;
    const data = proof || { wechat_code: await logInCode() };
    return asCitizen((session) => sending.fetchFile({ path, session, data, name: `jixiang-data.${kind}` }));
  },

  /* Correct the name, confirmed likewise. */
  async correctName(name, proof) {
    const account = await citizen.put('/api/v1/accounts/me/name', { name, ...(proof || { wechat_code: await logInCode() }) });
    storage.replace(ACCOUNT, account);
    return account;
  },

  /* What became of the latest request for another document, and the account as it is now. */
  correction: async () => keepAccount(await citizen.get(DOCUMENT)),

  /* Ask for another document, confirmed likewise: resolves to what became of it. */
  async correctDocument(wish, proof) {
    return keepAccount(await citizen.put(DOCUMENT, { ...wish, ...(proof || { wechat_code: await logInCode() }) }));
  },

  /* Object to what officers did to the document: it is undone. */
  async objectToCorrection() {
    return keepAccount(await citizen.post(`${DOCUMENT}/objection`, {}));
  },

  /* From now on speak with this session: logging in and registering answer with a new one. */
  keep({ session, account }) {
    const known = storage.read(ACCOUNT);
    if (!account || !known || account.document_number !== known.document_number) forgetOfAccount();
    storage.replace(SESSION, session);
    storage.replace(ACCOUNT, account || '');
  },

  /* The masked account of the session, or null. */
  account: () => storage.read(ACCOUNT) || null,

  /* Whether this phone has a session, with an account or without one. */
  isKnown: () => Boolean(storage.read(SESSION)),

  /* Log out, and forget all the same when the server is away. */
  leave() {
    forgetOfAccount();
    return leave('/api/v1/accounts/logout', SESSION, ACCOUNT);
  },

  /* Delete the account, confirmed by {password}, or by WeChat without it; resolves to the server's notice of it. */
  async erase(proof) {
    const answer = await citizen.post('/api/v1/accounts/me/erasure', proof || { wechat_code: await logInCode() });
    storage.forget(SESSION);
    storage.forget(ACCOUNT);
    forgetOfAccount();
    return answer;
  },
};

async function asCitizen(call) {
  const session = storage.read(SESSION) || (await logIn());
  try {
    return await call(session);
  } catch (problem) {
    if (!refusesSession(problem)) throw problem;
    return call(await anotherThan(session));
  }
}

/* Only these: 401 is also the answer to a wrong password, which another session does not mend. */
function refusesSession(problem) {
  return problem.type.startsWith('session-');
}

/* A session in place of a refused one; a call beside this one may have brought it already. */
async function anotherThan(refused) {
  const stored = storage.read(SESSION);
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

/* A code of WeChat for who holds this phone; it works once. */
function logInCode() {
  return new Promise((resolve, reject) => {
    const fail = () => reject(problems.made('offline'));
    wx.login({ timeout: LOGIN_TIMEOUT, success: ({ code }) => resolve(code), fail });
  });
}

async function logInWithWeChat() {
  const answer = await sending.post({ path: '/api/v1/wechat/login', data: { code: await logInCode() } });
  citizen.keep(answer);
  return answer.session;
}

/* --- the inspector, who logs in with a password for one shift -------------------------------------------------- */

const inspector = {
  /*
   * Log in and keep the session; resolves to the station's name. What the server gave this phone to be known by stays
   * after a log-out: whoever guesses at the password elsewhere does not delay the next log-in here. `fresh`: a new
   * password, which the server asks for where somebody else has set this one.
   */
  async login(username, password, fresh) {
    const known = storage.read(STATION_DEVICE);
    const data = { username, password };
    if (known) data.device = known;
    if (fresh) data.new_password = fresh;
    const { session, station, device } = await sending.post({ path: '/api/v1/stations/login', data });
    storage.replace(STATION_SESSION, session);
    storage.replace(STATION_NAME, station);
    if (device) storage.replace(STATION_DEVICE, device);
    return station;
  },

  /* The name of the station, '' when nobody is logged in. */
  station: () => (storage.read(STATION_SESSION) ? storage.read(STATION_NAME) : ''),

  /* The session itself, '' when nobody is logged in. */
  session: () => storage.read(STATION_SESSION) || '',

  /* GET with the session; a refused session is forgotten and told, for only the inspector knows the password. */
  get: (path) => asInspector((session) => sending.read({ path, session })),

  /* POST likewise. `again`: it may arrive twice. `timeout`: milliseconds, where somebody waits at a door. */
  post: (path, data, { again, timeout } = {}) =>
    asInspector((session) => sending.post({ path, data, session, again, timeout })),

  /* Log out, and forget all the same when the server is away. What utils/duty.js keeps is not touched. */
  leave() {
    return leave('/api/v1/stations/logout', STATION_SESSION, STATION_NAME);
  },
};

async function asInspector(call) {
  const session = storage.read(STATION_SESSION);
  if (!session) throw problems.made('session-missing');
  try {
    return await call(session);
  } catch (problem) {
    if (refusesSession(problem)) forget(session);
    throw problem;
  }
}

/* Unless another log-in has replaced it meanwhile. */
function forget(session) {
  if (storage.read(STATION_SESSION) !== session) return;
  storage.forget(STATION_SESSION);
  storage.forget(STATION_NAME);
}

/* Forgotten first, so that a phone that is put away in the middle is logged out too. */
async function leave(path, sessionKey, otherKey) {
  const session = storage.read(sessionKey);
  storage.forget(sessionKey);
  storage.forget(otherKey);
  if (!session) return;
  try {
    await sending.post({ path, session });
  } catch (problem) {
    // nothing is left to do: this phone has forgotten the session, and it ends by itself
  }
}

module.exports = { open, home, citizen, inspector };
