/*
 * The picture of a token, drawn by the phone: opening the code takes one request, and no picture travels.
 *
 * Owns the form that docs/reference/token.md promises to scanners: version 8, error correction M, alphanumeric, black on white,
 * a quiet zone of 4 modules. Never keeps a token.
 */
const qrcode = require('qrcode-generator');

const VERSION = 8;
const CORRECTION = 'M';
const SCALE = 12; // pixels of a module: 684 in all, for what draws an SVG at this size first and resizes it then
const QUIET = 4 * SCALE; // on each side

/*
 * A data URI for <image>, square, with its quiet zone. Its white is a rectangle in per cent, which WeChat does not
 * promise to draw: the page has white behind it.
 */
function picture(token) {
  const code = qrcode(VERSION, CORRECTION);
  code.addData(token, 'Alphanumeric');
  makeWithFirstMask(code);
  return `data:image/svg+xml,${encodeURI(code.createSvgTag(SCALE, QUIET))}`;
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
