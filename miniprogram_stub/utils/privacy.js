/*
 * The consent to what is done with personal data, asked before any of it leaves the phone.
 *
 * There are two, and both are needed: to our notice, kept on this phone by its version, and to the guide in WeChat, which WeChat
 * keeps and asks for by itself where a page takes a phone number, a picture or a file.
 */
const storage = require('./storage.js');
const VERSION = '2026-12-02'; // of the words in utils/texts_privacy.js
const AGREED = 'privacy.agreed';

/* Whether somebody still has to agree; resolves to a boolean. */
function isMissing() {
  if (storage.read(AGREED) !== VERSION) return Promise.resolve(true);
  return new Promise((resolve) => {
    wx.getPrivacySetting({
      success: ({ needAuthorization }) => resolve(Boolean(needAuthorization)),
      fail: () => resolve(false), // WeChat asks by itself where it has to
    });
  });
}

/* In WeChat's own button for it: then WeChat has noted the consent as well. */
function agree() {
  storage.keep(AGREED, VERSION);
}

/* The next person to use this phone is asked anew. */
function forget() {
  storage.forget(AGREED);
}

module.exports = { VERSION, isMissing, agree, forget };
