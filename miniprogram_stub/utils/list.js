/*
 * A page that is a list which the server gives in parts, newest first: the first part when it is seen, the next at its end.
 *
 * `path` is where the list is, `items` takes the entries out of an answer, `inWords(entry, language, t, place)` is what
 * the page shows of one, with a `key`; `place` is where it stands in the list. A list that comes whole has no `next`.
 * `beside`, if any, gets what is shown beside the list.
 */
const { citizen } = require('./request.js');
const { page } = require('./page.js');

function listPage(options) {
  page({
    ...options,
    data: { entries: [], loaded: false, next: null, problem: null, busy: false, ...options.data },

    onShow() {
      return this.load();
    },

    onPullDownRefresh() {
      return this.load().then(wx.stopPullDownRefresh);
    },

    onReachBottom() {
      return this.data.next && !this.data.busy ? this.more() : null;
    },

    async load() {
      await this.fetch(options.path, []);
      if (options.beside && !this.data.problem) await options.beside.call(this); // a server that is away is asked once
    },

    more() {
      return this.fetch(after(options.path, this.data.next), this.data.entries);
    },

    async fetch(path, before) {
      const { language, t } = this.data;
      this.setData({ busy: true });
      try {
        const answer = await citizen.get(path);
        const inWords = (entry, index) => options.inWords(entry, language, t, before.length + index);
        const entries = before.concat(options.items(answer).map(inWords));
        this.setData({ entries, loaded: true, next: answer.next || null, problem: null });
      } catch (problem) {
        this.setData({ problem });
      }
      this.setData({ busy: false });
    },
  });
}

/* Where the part of a list is that follows `next`. */
function after(path, next) {
  return `${path}${path.includes('?') ? '&' : '?'}before=${next}`;
}

module.exports = { listPage, after };
