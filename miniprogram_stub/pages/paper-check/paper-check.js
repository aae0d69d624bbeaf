/*
 * A card on paper at a station: the last four characters of the document beside it, then what to do, and a temperature.
 *
 * Keeps the tail only while the person stands there: leaving the page wipes it.
 */
const beijing = require('../../utils/beijing.js');
const paper = require('../../utils/paper.js');
const { alert } = require('../../utils/alerts.js');
const { isUsual } = require('../../utils/judging.js');
const { page, once } = require('../../utils/page.js');

const TITLES = { pass: 'pass', measure: 'measureFirst', stop: 'stop', ask: 'ask' };

page({
  words: 'paperCheck',
  data: { result: null, problem: null, busy: false, kept: false },

  onShow() {
    this.setData({ kept: paper.isKept() });
  },

  onUnload() {
    paper.keep('');
    this.tail = '';
  },

  submit(event) {
    this.tail = String(event.detail.value.tail || '').trim();
    return this.judge(null);
  },

  measure(event) {
    const celsius = Number(event.detail.value.celsius);
    return this.judge(Number.isFinite(celsius) ? celsius : 0);
  },

  judge(celsius) {
    return once(this, async () => {
      try {
        const result = await paper.check(this.tail, celsius);
        this.setData({ result: inWords(result, this.data.t) });
        alert(result.action);
      } catch (problem) {
        if (celsius === null) this.setData({ result: null });
        alert('stop');
        throw problem;
      }
    });
  },

  back() {
    wx.navigateBack();
  },
});

/* Offline there is no state: what to do is all that is to be seen, and as of when the list of lost cards is. */
function inWords(result, t) {
  const icon = result.action === 'ask' ? '/images/scan.svg' : `/images/action-${result.action}.svg`;
  const shown = { ...result, look: `does-${result.action}`, title: t[TITLES[result.action]], icon, when: beijing.time(result.asOf) };
  if (!result.state) return { ...shown, list: listInWords(result.list, t) };
  const state = result.state.toLowerCase();
  if (isUsual(result.state, result.action)) shown.look = `state-${state}`;
  return { ...shown, state, mark: `/images/state-${state}.svg`, title: result.state === 'RED' ? t.keepHere : shown.title };
}

function listInWords(list, t) {
  if (!list) return { missing: t.noList };
  return { when: `${t.listAsOf} ${beijing.minute(new Date(list.asOf).toISOString())}`, missing: list.old ? t.oldList : '' };
}
