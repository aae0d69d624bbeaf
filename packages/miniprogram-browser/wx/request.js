/*
 * wx.request, over the browser's fetch.
 *
 * Owns WeChat's shape of an answer: every status is a success, and only no answer is a failure. Logs nothing.
 */
const TIMEOUT = 60000; // milliseconds, as documented

/* wx.request of a phone, which can be without network. */
export function makeRequest(phone, fetchIt = (...args) => fetch(...args)) {
  return (options) => {
    const control = new AbortController();
    const heard = new Set();
    const task = {
      abort: () => control.abort('abort'),
      onHeadersReceived: (listener) => heard.add(listener),
      offHeadersReceived: (listener) => heard.delete(listener),
    };
    const done = send(phone, fetchIt, options, control, heard);
    const { success, fail, complete } = options;
    if (!success && !fail && !complete) return Object.assign(done, task);
    done.then(
      (answer) => [success, complete].forEach((callback) => callback && callback(answer)),
      (problem) => [fail, complete].forEach((callback) => callback && callback(problem)),
    ).catch((error) => console.error(error));
    return task;
  };
}

async function send(phone, fetchIt, options, control, heard) {
  const timer = setTimeout(() => control.abort('timeout'), options.timeout || TIMEOUT);
  try {
    const url = address(options);
    if (!phone.online) throw new Error('net::ERR_INTERNET_DISCONNECTED');
    const response = await fetchIt(url, { ...outgoing(options), signal: control.signal });
    const header = Object.fromEntries([...response.headers].map(([name, value]) => [titled(name), value]));
    const known = { statusCode: response.status, header, cookies: [] };
    heard.forEach((listener) => listener(known));
    const data = await body(response, options);
    phone.tell('requested', { path: url.pathname, method: options.method || 'GET', status: response.status });
    return { ...known, data, errMsg: 'request:ok' };
  } catch (error) {
    const stopped = control.signal.aborted;
    throw { errMsg: `request:fail ${stopped ? control.signal.reason : error.message}`, errno: stopped ? 5 : 600001 };
  } finally {
    clearTimeout(timer);
  }
}

/* Only the page's own origin stands in for the registered domains. */
function address({ url, method = 'GET', data }) {
  const made = new URL(url, location.origin);
  if (made.origin !== location.origin) throw new Error('url not in domain list');
  if (method.toUpperCase() === 'GET' && data && typeof data === 'object') {
    Object.entries(data).forEach(([name, value]) => {
      made.searchParams.append(name, typeof value === 'object' ? JSON.stringify(value) : value);
    });
  }
  return made;
}

function outgoing({ method = 'GET', header = {}, data }) {
  const headers = { 'content-type': 'application/json' };
  Object.entries(header).forEach(([name, value]) => {
    headers[name.toLowerCase()] = value;
  });
  delete headers.referer;
  const made = { method: method.toUpperCase(), headers, cache: 'no-store' };
  if (['GET', 'HEAD'].includes(made.method) || data === undefined) return made;
  if (typeof data === 'string' || data instanceof ArrayBuffer) return { ...made, body: data };
  const form = headers['content-type'].startsWith('application/x-www-form-urlencoded');
  return { ...made, body: form ? String(new URLSearchParams(data)) : JSON.stringify(data) };
}

async function body(response, { responseType, dataType = 'json' }) {
  if (responseType === 'arraybuffer') return response.arrayBuffer();
  const text = await response.text();
  if (dataType !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    return text;
  }
}

function titled(name) {
  return name.replace(/(^|-)([a-z])/g, (whole, dash, letter) => dash + letter.toUpperCase());
}
