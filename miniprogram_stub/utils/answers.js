/*
 * What an answer says: its JSON, or the problem in it. Never trusts that it came from our server.
 *
 * Between a phone and the server stand proxies, portals of a Wi-Fi and faults, so every part of an answer may be
 * missing or of another kind. Whatever comes, the outcome is a JSON object, null, or a problem (utils/problems.js).
 */
const problems = require('./problems.js');

const LARGEST = 1024 * 1024; // bytes by Content-Length, characters of a text
const SLUG = /^[a-z][a-z0-9-]*$/;
const SENTENCE = 500; // characters at most that a screen is given of one sentence

/* The JSON of an answer, null for 204. Throws a problem. */
function read(response) {
  const { statusCode, data } = response;
  const header = headers(response.header);
  if (statusCode === 204) return null;
  if (typeof data === 'string' && data.length > LARGEST) throw problems.made('answer-too-large');
  const body = json(data);
  if (statusCode >= 200 && statusCode < 300) {
    if (!body) throw problems.made('not-our-server', { status: statusCode });
    return body;
  }
  throw told(statusCode, body || {}, header);
}

/* Headers under their small names: phones spell them in different ways. */
function headers(header) {
  const small = {};
  Object.keys(header || {}).forEach((name) => {
    small[name.toLowerCase()] = header[name];
  });
  return small;
}

/* Whether headers, under their small names, announce more than is read. */
function tooLarge(header, most = LARGEST) {
  return Number(header['content-length']) > most;
}

/* The object in an answer, or null. */
function json(data) {
  try {
    const value = typeof data === 'string' ? JSON.parse(data) : data;
    return typeof value === 'object' ? value : null;
  } catch (error) {
    return null;
  }
}

/* The problem that an answer tells of; one without a slug comes from a proxy before our server, or from elsewhere. */
function told(status, body, header) {
  const passing = status === 429 || status >= 500;
  const more = { status, passing, retryAfter: retryAfter(header['retry-after']) };
  const type = slug(body.type);
  if (!type) return problems.made(status >= 500 ? 'unavailable' : 'not-our-server', more);
  const title = sentence(body.title) || problems.title(type);
  const way = problems.way(type) || sentence(body.detail);
  return problems.made(type, { ...more, title, way, fields: fields(body.errors) });
}

function slug(type) {
  const last = typeof type === 'string' ? type.split('/').pop() : '';
  return SLUG.test(last) ? last : '';
}

function fields(errors) {
  const found = {};
  (Array.isArray(errors) ? errors : []).forEach((error) => {
    const { pointer, detail } = error || {};
    if (typeof pointer === 'string') found[pointer.slice(1).replace(/\//g, '_')] = sentence(detail);
  });
  return found;
}

function sentence(value) {
  return typeof value === 'string' ? value.slice(0, SENTENCE) : '';
}

/* Seconds; a proxy may name a moment in place of them. */
function retryAfter(value) {
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return seconds > 0 ? Math.ceil(seconds) : 0;
}

module.exports = { read, headers, tooLarge };
