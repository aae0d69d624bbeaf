/*
 * 场所码: scan the code at an entrance, let the inspector scan the receipt within its minute, and see which visits this
 * phone keeps. A receipt that has ended goes from the screen; a scan never changes a color.
 */
const beijing = require('../../utils/beijing.js');
const clock = require('../../utils/clock.js');
const exposures = require('../../utils/exposures.js');
const qr = require('../../utils/qr.js');
const visits = require('../../utils/visits.js');
const { brighten, dim } = require('../../utils/brightness.js');
const { page, once } = require('../../utils/page.js');
const { citizen } = require('../../utils/request.js');

page({
  words: 'visit',
  data: { receipt: null, image: '', time: '', visits: [], matches: [], busy: false, problem: null },

  onLoad() {
    if (wx.setVisualEffectOnCapture) wx.setVisualEffectOnCapture({ visualEffect: 'hidden' });
    wx.hideShareMenu();
  },

  async onShow() {
    this.isAway = false;
    this.showVisits();
    await Promise.all([exposures.refresh(), this.knowAccount()]);
    this.showVisits();
  },

  /* Who has no account learns it here, before they stand at the poster and scan it for nothing. */
  async knowAccount() {
    if (citizen.account()) return;
    const problem = await citizen.get('/api/v1/accounts/me').then(() => null, (found) => found);
    if (problem && problem.type === 'not-registered') this.setData({ problem }); // others may pass until the scan
  },

  onHide() {
    this.leave();
  },

  onUnload() {
    this.leave();
  },

  leave() {
    this.isAway = true;
    clearTimeout(this.ending);
    clearInterval(this.ticking);
    dim(this);
    this.setData({ receipt: null, image: '' });
  },

  scan() {
    if (this.data.busy) return;
    wx.scanCode({
      onlyFromCamera: true,
      scanType: ['qrCode'],
      success: ({ result }) => this.take(result),
      fail: () => {}, // closed without a code
    });
  },

  take(text) {
    return once(this, async () => {
      this.setData({ receipt: null, image: '' });
      const receipt = await visits.scan(text);
      if (!this.isAway) this.show(receipt); // an answer after the page was left must not brighten what came after it
      this.showVisits();
    });
  },

  show(receipt) {
    const state = receipt.state.toLowerCase();
    const { name, entrance, word, stale, at } = receipt;
    const shown = { name, entrance, word, stale, state, mark: `/images/state-${state}.svg`, at: beijing.minute(at) };
    this.setData({ receipt: shown, image: qr.picture(receipt.receipt) });
    brighten(this);
    this.tick();
    clearInterval(this.ticking);
    this.ticking = setInterval(() => this.tick(), 1000);
    clearTimeout(this.ending);
    this.ending = setTimeout(() => this.setData({ image: '' }), 1000 * receipt.expires_in);
  },

  /* The time by the server's clock: it shows that this is no screenshot. */
  tick() {
    this.setData({ time: beijing.second(clock.now()) });
  },

  showVisits() {
    const { reasons } = this.data.t;
    this.setData({
      visits: visits.list().map((one) => ({ ...one, when: beijing.minute(one.at) })),
      matches: exposures.matches().map(({ name, at, reason, begins, ends }) => ({
        name,
        when: beijing.minute(at),
        reason: reasons[reason] || reasons.case,
        hours: `${beijing.minute(begins)}–${beijing.minute(ends).slice(-'00:00'.length)}`,
        day: beijing.day(Date.parse(at)),
      })),
    });
  },

  forget(event) {
    visits.forget(this.data.visits[event.currentTarget.dataset.index]);
    this.showVisits();
  },

  forgetAll() {
    const { t } = this.data;
    return new Promise((resolve) => {
      wx.showModal({
        title: t.forgetAll,
        content: t.forgetAsk,
        confirmText: t.yes,
        cancelText: t.no,
        success: ({ confirm }) => {
          if (confirm) visits.forget();
          this.showVisits();
          resolve();
        },
      });
    });
  },
});
