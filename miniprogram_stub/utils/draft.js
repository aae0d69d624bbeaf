/*
 * An unfinished declaration, kept on this phone so that nothing is typed twice when it dies.
 *
 * It is about somebody's health: it belongs to the account that began it, is forgotten after a day, when it is sent
 * and when its owner logs out, and never leaves the phone.
 */
const STORED = 'declaration.draft';
const KEPT = 24 * 60 * 60 * 1000; // milliseconds

/* The draft of this account, or null. */
function read(username, now) {
  const kept = wx.getStorageSync(STORED);
  if (!kept) return null;
  if (kept.username === username && now - kept.at < KEPT && now >= kept.at) return kept.answers;
  clear();
  return null;
}

function keep(username, answers, now) {
  wx.setStorageSync(STORED, { username, answers, at: now });
}

function clear() {
  wx.removeStorageSync(STORED);
}

module.exports = { read, keep, clear };
