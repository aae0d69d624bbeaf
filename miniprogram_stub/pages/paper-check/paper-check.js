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

const TITLES = { pass: 'pass', measure: 'measureFirst', stop: 'stop' };

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

function inWords(result, t) {
  const state = result.state.toLowerCase();
  return {
    ...result,
    state,
    look: isUsual(result.state, result.action) ? `state-${state}` : `does-${result.action}`,
    mark: `/images/state-${state}.svg`,
    title: result.state === 'RED' ? t.keepHere : t[TITLES[result.action]],
    icon: `/images/action-${result.action}.svg`,
    when: beijing.time(result.asOf),
  };
}
