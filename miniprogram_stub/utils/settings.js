/* How this phone wants to read: language, size of type, contrast; and whether it opens with the code. Kept on the phone alone. */
const languages = require('./languages.js');
const storage = require('./storage.js');

const STORED = 'settings';
const [SMALLEST, LARGEST] = [0.9, 1.6];
const USUAL = 1.1; // up to here a page has its usual shape
const LARGE = 1.25; // what .large of app.wxss makes of the body's type

/* {language, large, contrast, openCode}. Before anybody has chosen a language: that of the phone, or Chinese. */
function read() {
  const kept = storage.read(STORED) || {};
  return {
    language: languages.CODES.includes(kept.language) ? kept.language : phoneLanguage(),
    large: Boolean(kept.large),
    contrast: Boolean(kept.contrast),
    openCode: Boolean(kept.openCode),
  };
}

/* Change what is given, keep the rest. */
function change(wanted) {
  storage.keep(STORED, { ...read(), ...wanted });
}

/*
 * The look of a page: {size, factor}; `size` has the classes large and contrast. Type is as WeChat's own font size is set, and
 * never smaller than the large type that was chosen. From a certain size on a page has the shape for large type, of which the
 * rest is the factor. Within bounds in which all fits.
 */
function typeOf({ large, contrast }) {
  const known = wx.getAppBaseInfo ? wx.getAppBaseInfo().fontSizeScaleFactor : 1;
  const factor = Math.min(Math.max(known || 1, SMALLEST), LARGEST);
  const isLarge = large || factor > USUAL;
  const size = [isLarge && 'large', contrast && 'contrast'].filter(Boolean).join(' ');
  return { size, factor: isLarge ? Math.max(1, factor / LARGE) : factor };
}

function phoneLanguage() {
  const known = (wx.getAppBaseInfo ? wx.getAppBaseInfo().language : '') || '';
  return languages.CODES.find((code) => known.startsWith(code)) || 'zh';
}

module.exports = { read, change, typeOf };
