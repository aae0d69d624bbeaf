/*
 * Every call that the stage itself makes: real ones, as a phone, WeChat or an operator of the platform would make them.
 *
 * Keeps nothing. A refused call is an Error with the sentence of the server.
 */
export const users = '/wechat-sandbox/sandbox/users';
const platform = '/platform-sandbox/sandbox';

async function call(method, path, { body, session } = {}) {
  const headers = { 'Accept-Language': 'zh-CN' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (session) headers.Authorization = `Bearer ${session}`;
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const told = await answer.json().catch(() => null);
  if (answer.ok) return told;
  throw Object.assign(new Error((told && (told.title || told.error)) || `${answer.status} ${path}`), { status: answer.status });
}

/* Whom the stage can play, and where the parts are; with a newcomer who is somebody else each time. */
export const castOfTheStage = () => call('GET', '/stage.json');

/* A WeChat user of this name; there may be one already. */
export const addUser = (name) => call('POST', users, { body: { name } });

/* The messages that WeChat has brought to this phone, the oldest first. */
export const messagesOf = (name) => call('GET', `${users}/${encodeURIComponent(name)}/messages`);

/* Log a demo person in on the phone of this name, as the mini-program would: {session, account}. */
export async function logIn(name, username, password) {
  await addUser(name);
  const { code } = await call('POST', `${users}/${encodeURIComponent(name)}/login`);
  const opened = await call('POST', '/api/v1/wechat/login', { body: { code } });
  if (opened.account && opened.account.username === username) return opened;
  return call('POST', '/api/v1/accounts/login', { body: { username, password }, session: opened.session });
}

/* Log an inspector in: {session, station}. */
export const logInAtStation = (username, password) =>
  call('POST', '/api/v1/stations/login', { body: { username, password } });

/* The state of the code of this session, such as GREEN; null when there is none to be had. */
export const stateOf = (session) =>
  call('GET', '/api/v1/code', { session }).then(
    (code) => code.state,
    () => null,
  );

export const platformSwitch = () => call('GET', `${platform}/switch`);
export const setPlatformSwitch = (body) => call('PUT', `${platform}/switch`, { body });

/* What the platform has on record about the holder of a document: kinds of findings. */
export async function recordOf(number) {
  const known = (await call('GET', `${platform}/people`)).find((person) => person.number === number);
  return known ? known.findings.map((finding) => finding.kind) : [];
}

/* From now on the platform has one finding about them, or none. */
export async function setRecord(number, kind) {
  const path = `${platform}/people/${encodeURIComponent(number)}`;
  if (kind === 'none') return call('DELETE', path);
  const { now } = await castOfTheStage(); // the system's own time, which a demonstration may have moved
  return call('PUT', path, { body: { findings: [finding(kind, now)] } });
}

function finding(kind, now) {
  const found = { kind, authority: '示例市疾病预防控制中心', document: '示例疾控 2020-009', since: now };
  if (kind === 'contact') return { ...found, exposed_on: day(now, -2) };
  if (kind === 'quarantine') return { ...found, first_day: day(now, -1), last_day: day(now, 13) };
  return found;
}

/* The Beijing day of a time such as 2020-03-20T12:00:00+08:00, or one so many days from it. */
function day(time, later) {
  const noon = new Date(`${time.slice(0, 10)}T12:00:00Z`);
  return new Date(noon.getTime() + later * 86400000).toISOString().slice(0, 10);
}
