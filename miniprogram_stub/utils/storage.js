/*
 * What this phone keeps. WeChat throws where its storage is full, and nothing here does: what finds no room is known until
 * the mini-program ends, so that everything works until then, and whoever promises more is told.
 */
const held = new Map(); // what found no room

/* Keep a value. False where it found no room: then what was kept before is there again after a restart. */
function keep(key, value) {
  const kept = write(key, value);
  if (!kept) held.set(key, value);
  return kept;
}

/* The same where what was kept before must not come back: it goes in any case, and may have left enough room. */
function replace(key, value) {
  if (write(key, value)) return true;
  wx.removeStorageSync(key);
  return keep(key, value);
}

/* Whether there was room to keep a value; where there was none, nothing has changed. */
function write(key, value) {
  try {
    wx.setStorageSync(key, value);
  } catch (error) {
    return false;
  }
  held.delete(key);
  return true;
}

/* What is kept; '' where nothing is, as WeChat says it. */
function read(key) {
  return held.has(key) ? held.get(key) : wx.getStorageSync(key);
}

function forget(key) {
  held.delete(key);
  wx.removeStorageSync(key);
}

function forgetAll() {
  held.clear();
  wx.clearStorageSync();
}

module.exports = { keep, replace, write, read, forget, forgetAll };
