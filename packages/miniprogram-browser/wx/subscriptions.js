/*
 * The person's WeChat, played by the sandbox: log-in codes, the phone number, and who may send messages.
 *
 * Owns what is asked in the phone and what the sandbox is told. Keeps only the choices that are "always kept".
 */
import { makeStorage } from './storage.js';

const USERS = '/wechat-sandbox/sandbox/users';
const MOST = 5; // templates in one call
const NUMBER = '13800000000'; // invented

export function makeSubscriptions(phone, Refusal) {
  const mine = `${USERS}/${encodeURIComponent(phone.name)}`;
  const memory = makeStorage(`wechat:${phone.name}:`, Refusal); // WeChat's own: the mini-program cannot clear it
  const kept = () => memory.get('kept') || {};

  /* JSON of the sandbox, which makes a phone that it has not seen. */
  async function ask(path, method = 'GET', data = undefined) {
    if (!memory.get('joined')) await join();
    let response = await call(phone, Refusal, mine + path, method, data);
    if (response.status === 404) { // the sandbox began anew
      await join();
      response = await call(phone, Refusal, mine + path, method, data);
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refusal(answer.error || `the WeChat sandbox answered ${response.status}`);
    return answer;
  }

  async function join() {
    const response = await call(phone, Refusal, USERS, 'POST', { name: phone.name });
    if (response.ok) memory.set('joined', true);
  }

  async function templates() {
    const known = await ask('/quota');
    return Object.entries(known).map(([id, { setting, title }]) => {
      const off = setting === 'reject';
      return { id, title: title || phone.dialogs.words().message, off, on: !off && kept()[id] !== 'reject' };
    });
  }

  /* As wx.getSetting shows it: only what is always kept, or switched off. */
  async function subscriptions() {
    const shown = (await templates()).filter(({ id, off }) => off || kept()[id]);
    const itemSettings = Object.fromEntries(shown.map(({ id, on }) => [id, on ? 'accept' : 'reject']));
    return { subscriptionsSetting: { mainSwitch: true, itemSettings } };
  }

  async function subscribe(name, tmplIds) {
    check(tmplIds, phone.tapping, Refusal);
    const known = Object.fromEntries((await templates()).map((template) => [template.id, template]));
    const unknown = tmplIds.some((id) => !known[id]);
    if (unknown) throw new Refusal('No template data return, verify the template id exist', { errCode: 20001 });
    const answers = await decide(name, tmplIds.map((id) => known[id]));
    const told = await ask('/subscribe', 'POST', answers);
    phone.tell('subscribed', { answers: told });
    return told;
  }

  /* What is switched off, or always kept, is not asked. */
  async function decide(name, wanted) {
    const always = kept();
    const answers = Object.fromEntries(wanted.map(({ id, off }) => [id, off ? 'reject' : always[id]]));
    const open = wanted.filter(({ id }) => !answers[id]);
    if (!open.length) return answers;
    const chosen = (await phone.dialogs.subscribe(name, open)) || { accepted: [], keep: false };
    open.forEach(({ id }) => {
      answers[id] = chosen.accepted.includes(id) ? 'accept' : 'reject';
    });
    if (chosen.keep) memory.set('kept', { ...always, ...answers });
    return answers;
  }

  /* A WeChat always has a number; the sandbox gives none to a phone by itself. */
  async function numberCode() {
    try {
      return (await ask('/phone-code', 'POST')).code;
    } catch (refusal) {
      await call(phone, Refusal, mine, 'PATCH', { number: NUMBER });
      return (await ask('/phone-code', 'POST')).code;
    }
  }

  return {
    subscribe,
    templates,
    subscriptions,
    numberCode,
    login: async () => ({ code: (await ask('/login', 'POST')).code }),
    setSettings(settings) {
      memory.remove('kept');
      return ask('/settings', 'POST', settings);
    },
  };
}

function check(tmplIds, tapped, Refusal) {
  if (!Array.isArray(tmplIds) || !tmplIds.length) throw new Refusal("TmplIds can't be empty", { errCode: 10001 });
  if (tmplIds.length > MOST) throw new Refusal('Templates count out of max bounds', { errCode: 20003 });
  if (!tapped) throw new Refusal('can only be invoked by user TAP gesture.');
}

async function call(phone, Refusal, path, method, data) {
  if (!phone.online) throw new Refusal('net::ERR_INTERNET_DISCONNECTED');
  const json = data === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) };
  try {
    return await fetch(new URL(path, location.origin), { method, ...json });
  } catch (error) {
    throw new Refusal(error.message);
  }
}
