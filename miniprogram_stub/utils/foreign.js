/*
 * Codes of other provinces at a station without network: the statement of their issuer, by the trust list on this phone.
 *
 * Keeps the newest list that the root key of config.js has signed, and its version for good: an older list, in which a
 * revoked key was good, is never taken. Nothing that such a code says is sent as ours.
 */
const beijing = require('./beijing.js');
const clock = require('./clock.js');
const languages = require('./languages.js');
const settings = require('./settings.js');
const trust = require('./trust.js');
const { STATES } = require('./judging.js');
const { open } = require('./request.js');
const config = require('../config.js');
const storage = require('./storage.js');

const LIST = 'station.trust';
const VERSION = 'station.trust-version'; // {root, version}: outlives the list
const RENEW = 5 * 60 * 1000; // milliseconds after which the list is asked for again

/* As of the policy of the server, until it has said: a statement alone lets nobody pass unmeasured. */
const ACTIONS = { UNVERIFIED: 'measure', GREEN: 'measure', YELLOW: 'measure', ORANGE: 'stop', RED: 'stop' };

const WORDS = {
  sentence: { zh: '吉林省以外 · 发码地：{issuer} · {state} · 有效至 {ends}', en: 'From outside Jilin province · issuer: {issuer} · {state} · until {ends}' },
  word: { zh: '{issuer}：{state}', en: '{issuer}: {state}' },
  pass: { zh: '可以通行。这是{issuer}认定的颜色，本省不作认定。', en: 'The person may pass. The color is the statement of {issuer}, and not ours.' },
  measure: {
    zh: '请测量体温，正常方可通行。这是{issuer}认定的状态，本省不作认定。',
    en: 'Measure the temperature: the person passes when it is normal. The state is the statement of {issuer}, and not ours.',
  },
  stop: {
    zh: '不得通行：请保持距离，请其等候并拨打 12320 或 12345。这是{issuer}认定的颜色，有异议的向{issuer}申请纠错。',
    en: 'The person may not pass. Keep your distance, ask them to wait, and call 12320 or 12345. The color is the statement of {issuer}; who objects turns to {issuer}.',
  },
  normal: {
    zh: '体温正常，可以通行。体温不登记：此码由{issuer}签发。',
    en: 'The temperature is normal: the person may pass. It is not registered, because {issuer} has issued the code.',
  },
  fever: {
    zh: '体温异常，不得通行：请其稍作休息后复测，持续发热请引导至发热门诊或拨打 12320。体温不登记：此码由{issuer}签发。',
    en: 'A fever: the person may not pass. Let them rest and measure again; if it stays, point to a fever clinic or 12320. It is not registered, because {issuer} has issued the code.',
  },
};

languages.CODES.filter((code) => !(code in WORDS.word)).forEach((code) => {
  const added = languages.added(code, 'foreign');
  Object.keys(WORDS).forEach((name) => {
    WORDS[name][code] = added[name];
  });
});

/* Fetch the list where a root key is pinned; what is refused leaves the one before. Rejects as utils/request.js does. */
async function refresh() {
  const kept = storage.read(LIST);
  if (!config.trustRoot || (kept && kept.root === config.trustRoot && Math.abs(clock.now() - kept.at) < RENEW)) return;
  const signed = await open('/.well-known/jixiang-trust');
  const list = trust.read(signed, config.trustRoot, known(), clock.now());
  if (list || kept) storage.keep(LIST, { root: config.trustRoot, at: clock.now(), list: list || kept.list });
  if (list) storage.keep(VERSION, { root: config.trustRoot, version: list.version });
}

function known() {
  const { root, version } = storage.read(VERSION) || {};
  return root === config.trustRoot ? version : 0;
}

/* The statement of who issued a text, as trust.stated has it, or throws as it does. */
function stated(text, at) {
  const kept = storage.read(LIST);
  return trust.stated(text, kept && kept.root === config.trustRoot ? kept.list : null, at);
}

/* The result for an inspector, as of `judge`, with the issuer; celsius is null where nothing was measured. */
function judge(statement, celsius, { feverCelsius, actions }) {
  const { language } = settings.read();
  const { state, issuer } = statement;
  const usual = (actions || ACTIONS)[state] || ACTIONS[state];
  const { action, words } = decide(usual, celsius, feverCelsius);
  const name = issuer.names[language] || issuer.names.zh;
  const ends = `${beijing.day(statement.endsAt)} ${beijing.time(statement.endsAt)}`;
  const say = (slug) => WORDS[slug][language].split('{issuer}').join(name).replace('{state}', STATES[state][language]).replace('{ends}', ends);
  return {
    offline: true, state, color: state === 'UNVERIFIED' ? null : state, word: say('word'), action, instruction: say(words),
    asOf: statement.issuedAt, stale: false, issuer: { id: issuer.id, name, statement: say('sentence') },
  };
}

function decide(usual, celsius, feverCelsius) {
  if (celsius === null || usual === 'stop') return { action: usual, words: usual };
  return celsius >= feverCelsius ? { action: 'stop', words: 'fever' } : { action: 'pass', words: 'normal' };
}

module.exports = { refresh, stated, judge };
