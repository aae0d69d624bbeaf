/* How this phone wants to read: language and size of type. Kept on the phone, known to nobody else. */
const STORED = 'settings';
const LANGUAGES = ['zh', 'en'];
const [SMALLEST, LARGEST] = [0.9, 1.6];
const USUAL = 1.1; // up to here a page has its usual shape
const LARGE = 1.25; // what .large of app.wxss makes of the body's type

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

/*
 * The size of type: {size, factor}. As WeChat's own font size is set, and never smaller than the large type that was chosen.
 * From a certain size on a page has the shape for large type, of which the rest is the factor. Within bounds in which all fits.
 */
function typeOf({ large }) {
  const known = wx.getAppBaseInfo ? wx.getAppBaseInfo().fontSizeScaleFactor : 1;
  const factor = Math.min(Math.max(known || 1, SMALLEST), LARGEST);
  return large || factor > USUAL ? { size: 'large', factor: Math.max(1, factor / LARGE) } : { size: '', factor };
}

function phoneLanguage() {
  const known = wx.getAppBaseInfo ? wx.getAppBaseInfo().language : 'zh_CN';
  return /^en/.test(known || '') ? 'en' : 'zh';
}

module.exports = { read, change, typeOf };
