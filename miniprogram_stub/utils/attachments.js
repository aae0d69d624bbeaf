/*
 * What a citizen attaches to an appeal: chosen on this phone, kept as WeChat's temporary files, and read only to be sent.
 *
 * The bounds are those of the server, which looks again; here they spare a citizen the sending of what would be refused.
 */
const problems = require('./problems.js');

const MOST = 3;
const MOST_BYTES = 2 * 1024 * 1024;
const QUALITY = 80; // of 100, of a picture that has to become smaller
const WIDTH = 2000; // pixels: a page of print stays readable

/* Pictures of the album or the camera: resolves to [{path, name, size, picture}], to none when nothing was chosen. */
async function pictures(count) {
  const inWords = ({ tempFilePath, size }) => ({ path: tempFilePath, name: '', size, picture: true });
  const taken = await chosen((done) => wx.chooseMedia({ count, mediaType: ['image'], sizeType: ['compressed'], ...done }), inWords);
  return Promise.all(taken.map(smaller));
}

/* A picture that is too large drawn smaller, for not every phone does so by itself; as it was, where that cannot be done. */
function smaller(file) {
  if (file.size <= MOST_BYTES) return file;
  return new Promise((resolve) => {
    const asItWas = () => resolve(file);
    const measure = ({ tempFilePath: path }) => wx.getFileSystemManager().getFileInfo({
      filePath: path,
      success: ({ size }) => resolve({ ...file, path, size }),
      fail: asItWas,
    });
    wx.compressImage({ src: file.path, quality: QUALITY, compressedWidth: WIDTH, success: measure, fail: asItWas });
  });
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
