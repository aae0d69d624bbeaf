/* How this phone wants to read: language and size of type. Kept on the phone, known to nobody else. */
const STORED = 'settings';
const LANGUAGES = ['zh', 'en'];

/* {language: 'zh' or 'en', large: boolean}. Before anybody has chosen: Chinese, unless the phone speaks English. */
function read() {
  const kept = wx.getStorageSync(STORED) || {};
  return {
    language: LANGUAGES.includes(kept.language) ? kept.language : phoneLanguage(),
    large: Boolean(kept.large),
  };
}

/* Change what is given, keep the rest. */
function change(wanted) {
  wx.setStorageSync(STORED, { ...read(), ...wanted });
}

function phoneLanguage() {
  const known = wx.getAppBaseInfo ? wx.getAppBaseInfo().language : 'zh_CN';
  return /^en/.test(known || '') ? 'en' : 'zh';
}

module.exports = { read, change };
