/*
 * 谁看过我的记录: which other persons looked at it or changed it, in which role, why and when, newest first; never by name.
 *
 * Checks of their document at stations are among them, on the first part of the list.
 * What the citizen did, and what the system did by itself, stands apart below, and is fetched when it is asked for.
 */
const beijing = require('../../utils/beijing.js');
const { after, listPage } = require('../../utils/list.js');
const { once } = require('../../utils/page.js');
const { citizen } = require('../../utils/request.js');

const OTHERS = '/api/v1/record/access?whose=others';
const OWN = '/api/v1/record/access?whose=own';

listPage({
  words: 'access',
  path: OTHERS,
  items: ({ entries, document_checks: checks = [] }) =>
    entries.concat(checks).sort((one, other) => Date.parse(other.at) - Date.parse(one.at)),
  inWords,
  data: { own: [], ownNext: null, ownShown: false },

  showOwn() {
    return this.fetchOwn(OWN, []);
  },

  moreOwn() {
    return this.fetchOwn(after(OWN, this.data.ownNext), this.data.own);
  },

  fetchOwn(path, before) {
    return once(this, async () => {
      const { entries, next } = await citizen.get(path);
      const { language, t } = this.data;
      const own = before.concat(entries.map((entry, index) => inWords(entry, language, t, before.length + index)));
      this.setData({ own, ownNext: next, ownShown: true });
    });
  },
});

/* The server has the words. Entries have no number, so each is known by its place. */
function inWords({ at, who, what, why }, language, t, place) {
  return {
    key: place,
    at: beijing.minute(at),
    what: [what.words, what.part, what.times > 1 && `${what.times} ${t.times}`].filter(Boolean).join(' · '),
    who: who.words,
    whose: who.authority || who.district || '',
    why: why ? why.words : '',
  };
}
