/*
 * What a citizen attaches to an appeal: chosen on this phone, kept as WeChat's temporary files, and read only to be sent.
 *
 * The bounds are those of the server, which looks again; here they spare a citizen the sending of what would be refused.
 */
const problems = require('./problems.js');

const MOST = 3;
const MOST_BYTES = 2 * 1024 * 1024;

/* Pictures of the album or the camera: resolves to [{path, name, size, picture}], to none when nothing was chosen. */
function pictures(count) {
  const inWords = ({ tempFilePath, size }) => ({ path: tempFilePath, name: '', size, picture: true });
  return chosen((done) => wx.chooseMedia({ count, mediaType: ['image'], sizeType: ['compressed'], ...done }), inWords);
}

/* PDFs out of a chat, for WeChat lets a mini-program see no other files; resolves likewise. */
function documents(count) {
  const inWords = ({ path, name, size }) => ({ path, name, size, picture: false });
  return chosen((done) => wx.chooseMessageFile({ count, type: 'file', extension: ['pdf'], ...done }), inWords);
}

function chosen(ask, inWords) {
  return new Promise((resolve, reject) => {
    ask({
      success: ({ tempFiles }) => resolve(tempFiles.map(inWords)),
      fail: ({ errMsg }) => (/cancel/.test(errMsg) ? resolve([]) : reject(problems.made('no-files'))),
    });
  });
}

/* A file as base64. Rejects with a problem: no-file, when the phone has let go of it. */
function read({ path }) {
  return new Promise((resolve, reject) => {
    wx.getFileSystemManager().readFile({
      filePath: path,
      encoding: 'base64',
      success: ({ data }) => resolve(data),
      fail: () => reject(problems.made('no-file')),
    });
  });
}

/* 240 KB, 1.4 MB */
function sizeInWords(bytes) {
  const kilobytes = bytes / 1024;
  return kilobytes < 1000 ? `${Math.ceil(kilobytes)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

module.exports = { MOST, MOST_BYTES, pictures, documents, read, sizeInWords };
