/*
 * What an inspector does without network, by the state that a token told and the temperature measured.
 *
 * Decides no color: the state stays the one of the token, and only the server makes another of it. Follows the
 * stations' instructions of app/rules/policy.toml, in words that do not promise what only the server can know.
 */
const languages = require('./languages.js');
const settings = require('./settings.js');

const STATES = {
  UNVERIFIED: { zh: '未核验', en: 'Unverified', action: 'measure' },
  GREEN: { zh: '绿码', en: 'Green', action: 'pass' },
  YELLOW: { zh: '黄码', en: 'Yellow', action: 'measure' },
  ORANGE: { zh: '橙码', en: 'Orange', action: 'stop' },
  RED: { zh: '红码', en: 'Red', action: 'stop' },
};

const UNMEASURED = {
  UNVERIFIED: {
    zh: '未核验，不代表健康异常：请测量体温，正常即可通行。',
    en: 'Not verified, which says nothing about health: measure the temperature; the person passes when it is normal.',
  },
  GREEN: { zh: '可以通行。', en: 'The person may pass.' },
  YELLOW: {
    zh: '请复测体温并登记；正常方可通行。',
    en: 'Measure the temperature again and register it; the person passes only when it is normal.',
  },
  ORANGE: {
    zh: '劝返：请保持距离，劝其返回隔离地点并联系所在社区，或拨打 12345、12320。',
    en: 'The person may not pass. Keep your distance; ask them to return to their place of isolation and to turn to their community, 12345 or 12320.',
  },
  RED: {
    zh: '不得通行：请保持距离并请其原地等候，立即拨打 12320 或 12345，由专人转运。',
    en: 'The person may not pass. Keep your distance, ask them to wait where they are, and call 12320 or 12345 at once for transport.',
  },
};

const NORMAL = { zh: '体温正常，可以通行。联网后自动登记。', en: 'The temperature is normal: the person may pass. It is registered once the network is back.' };

/* Yellow is a fever or declared symptoms, and the token does not say which: the inspector asks. */
const NORMAL_AGAIN = {
  zh: '体温已恢复正常：请询问有无症状，无症状可以通行。联网后自动登记，由系统转码。',
  en: 'The temperature is normal again: ask about symptoms; without any the person may pass. It is registered once the network is back, and the code changes then.',
};

const FEVER = {
  zh: '体温异常，不得通行：请其稍作休息后复测，持续发热请引导至发热门诊或拨打 12320。',
  en: 'A fever: the person may not pass. Let them rest and measure again; if it stays, point to a fever clinic or 12320.',
};

const FEVER_WAITS = {
  zh: `${FEVER.zh}联网后自动登记。`,
  en: `${FEVER.en} It is registered once the network is back.`,
};

/* Of a card on paper, which has no color. */
const CARD = { zh: '离线，颜色未知', en: 'offline, color unknown' };
const CARD_UNMEASURED = {
  zh: '此卡由本系统签发，未过期。请核对证件是否为本人，并测量体温：正常即可通行。',
  en: 'This card is genuine and not over. See that the document is the person’s own, and measure the temperature: the person passes when it is normal.',
};
const CARD_PERHAPS_LOST = {
  zh: '此卡可能已挂失，也可能是误报，不得仅因此劝返：请核对证件是否为本人，并请对方出示手机上的吉祥码或其他证明。',
  en: 'This card may have been reported lost; it may also be a mistake, and is no reason to turn anybody away. See that the document is the person’s own, and ask for the code on a phone or another proof.',
};

/* The same in further languages, from languages/. */
function addLanguage(code) {
  const { states, unmeasured, normal, normalAgain, fever, feverWaits, card } = languages.added(code, 'judging');
  Object.keys(STATES).forEach((state) => {
    STATES[state][code] = states[state];
    UNMEASURED[state][code] = unmeasured[state];
  });
  NORMAL[code] = normal;
  NORMAL_AGAIN[code] = normalAgain;
  FEVER[code] = fever;
  FEVER_WAITS[code] = feverWaits;
  CARD[code] = card.word;
  CARD_UNMEASURED[code] = card.unmeasured;
  CARD_PERHAPS_LOST[code] = card.perhapsLost;
}
languages.CODES.filter((code) => !(code in NORMAL)).forEach(addLanguage);

/* {state, color, word, action, instruction}; celsius is null where nothing was measured. */
function judge(state, celsius, feverCelsius) {
  const { language } = settings.read();
  const { action, instruction } = decide(state, celsius, feverCelsius);
  const color = state === 'UNVERIFIED' ? null : state;
  return { state, color, word: STATES[state][language], action, instruction: instruction[language] };
}

/*
 * The same of a card on paper: it says no state, so that its holder is measured. One that may be reported lost is asked about,
 * and stops nobody by itself.
 */
function judgeCard(perhapsLost, celsius, feverCelsius) {
  const { language } = settings.read();
  const { action, instruction } = decideCard(perhapsLost, celsius, feverCelsius);
  return { state: null, color: null, word: CARD[language], action, instruction: instruction[language] };
}

function decideCard(perhapsLost, celsius, feverCelsius) {
  const measured = celsius === null ? { action: 'measure', instruction: CARD_UNMEASURED } : decide('UNVERIFIED', celsius, feverCelsius);
  return perhapsLost && measured.action !== 'stop' ? { action: 'ask', instruction: CARD_PERHAPS_LOST } : measured;
}

/* A result of somebody who was found with a fever: stopped, whatever their color would allow. */
function stopFeverish(result) {
  if (result.action === 'stop') return result; // its own instruction says more
  return { ...result, action: 'stop', instruction: FEVER[settings.read().language] };
}

/* Whether an action is the one that the color of a code means by itself. */
function isUsual(state, action) {
  return Boolean(STATES[state]) && STATES[state].action === action;
}

function decide(state, celsius, feverCelsius) {
  const { action } = STATES[state];
  if (celsius === null || action === 'stop') return { action, instruction: UNMEASURED[state] };
  if (celsius >= feverCelsius) return { action: 'stop', instruction: FEVER_WAITS };
  return { action: 'pass', instruction: state === 'YELLOW' ? NORMAL_AGAIN : NORMAL };
}

module.exports = { STATES, judge, judgeCard, stopFeverish, isUsual };
