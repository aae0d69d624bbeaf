/*
 * The languages of the pages. Chinese is the measure: what another has not is shown in Chinese.
 *
 * A further language is a file in languages/ and its name below, for a mini-program requires files by name. Its `about` says
 * who made it and whether somebody has reviewed it; until then pages say so, and lead to the Chinese of what binds.
 */
const ADDED = { ko: require('../languages/ko.js') };

const OWN = {
  zh: { name: '中文', tag: 'zh-CN', voice: 'zh_CN', madeBy: 'the project', reviewed: true },
  en: { name: 'English', tag: 'en', voice: 'en_US', madeBy: 'the project, with the Chinese', reviewed: true },
};

const CODES = [...Object.keys(OWN), ...Object.keys(ADDED)];

/* {name, tag, voice, madeBy, reviewed}; of one that is not reviewed also what is said about it. */
function about(code) {
  return OWN[code] || ADDED[code].about;
}

/* The languages that one may change to: [{code, name, tag}], each named in its own words. */
function others(code) {
  return CODES.filter((one) => one !== code).map((one) => ({ code: one, name: about(one).name, tag: about(one).tag }));
}

/* Every language by its code: those that are given, and the others, with Chinese where one of these lacks words. */
function complete(given, part) {
  const added = Object.keys(ADDED).map((code) => [code, filled(given.zh, ADDED[code][part])]);
  return { ...given, ...Object.fromEntries(added) };
}

function filled(chinese, words) {
  if (typeof chinese === 'string' || Array.isArray(chinese)) return words || chinese;
  return Object.fromEntries(Object.keys(chinese).map((key) => [key, filled(chinese[key], (words || {})[key])]));
}

/* What a language has in its file beside the pages: `part` of it; {} where it has no file. */
function added(code, part) {
  return ADDED[code] ? ADDED[code][part] : {};
}

module.exports = { CODES, about, others, complete, added };
