/* 谁看过、改过我的记录: who looked at it and who changed it, in which role, why and when, newest first; never by name. */
const beijing = require('../../utils/beijing.js');
const { listPage } = require('../../utils/list.js');

/* Who acts here is no other person; all else is somebody's look or deed. */
const NOBODY_ELSE = ['citizen', 'clock', 'platform', 'wechat'];

listPage({
  words: 'access',
  path: '/api/v1/record/access',
  items: (answer) => answer.entries,
  inWords,
});

/* The server has the words. Entries have no number, so each is known by its place. */
function inWords({ at, who, what, why }, language, t, place) {
  return {
    key: place,
    at: beijing.minute(at),
    what: what.part ? `${what.words} · ${what.part}` : what.words,
    who: who.words,
    another: !NOBODY_ELSE.includes(who.role),
    whose: who.authority || who.district || '',
    why: why ? why.words : '',
  };
}
