/*
 * The picture of a token, drawn by the phone: opening the code takes one request, and no picture travels.
 *
 * Owns the form that docs/token.md promises to scanners: version 8, error correction M, alphanumeric, black on white,
 * a quiet zone of 4 modules. Never keeps a token.
 */
const qrcode = require('qrcode-generator');

const png = require('./png.js');

const VERSION = 8;
const CORRECTION = 'M';
const QUIET = 4; // modules on each side
const SCALE = 12; // pixels of a module: 684 in all, so that screens make it smaller and never larger

/* A data URI for <image>, square, with its quiet zone. */
function picture(token) {
  const code = qrcode(VERSION, CORRECTION);
  code.addData(token, 'Alphanumeric');
  makeWithFirstMask(code);
  const modules = code.getModuleCount();
  const inside = (at) => at >= QUIET && at < QUIET + modules;
  const dark = (row, column) => inside(row) && inside(column) && code.isDark(row - QUIET, column - QUIET);
  return png.dataUri(modules + 2 * QUIET, SCALE, dark);
}

/*
 * The library draws all eight masks and judges each by asking the code for its modules, which takes four fifths of
 * the time. A token looks random under any mask, so it is told of no modules: nothing is judged, the first mask stays.
 */
function makeWithFirstMask(code) {
  const { getModuleCount } = code;
  code.getModuleCount = () => 0;
  code.make();
  code.getModuleCount = getModuleCount;
}

module.exports = { picture };
