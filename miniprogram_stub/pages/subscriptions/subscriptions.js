/*
 * 订阅提醒: what WeChat may send, and the switch for text messages to who has no subscription. WeChat's pop-up opens only in
 * a tap, and only WeChat knows what was answered.
 */
const { citizen } = require('../../utils/request.js');
const { page } = require('../../utils/page.js');

const TEXTS = '/api/v1/accounts/me/text-messages';
const NOTHING_SHOWN = { reject: 'rejected', ban: 'banned', filter: 'banned' };

page({
  words: 'subscriptions',
  data: { subscriptions: [], sms: null, loaded: false, problem: null, told: '', busy: false },

  onShow() {
    return this.load();
  },

  async load() {
    try {
      this.show(await citizen.get('/api/v1/subscriptions'));
    } catch (problem) {
      this.setData({ problem });
      return undefined;
    }
    return this.loadTexts();
  },

  /* The switch for text messages is not shown where it cannot be read, or where none are sent. */
  async loadTexts() {
    try {
      const sms = await citizen.get(TEXTS);
      this.setData({ sms: sms.offered ? sms : null });
    } catch (problem) {
      this.setData({ sms: null });
    }
  },

  async flipTexts() {
    const { sms, busy } = this.data;
    if (busy) return;
    this.setData({ busy: true });
    try {
      this.setData({ sms: await citizen.put(TEXTS, { on: !sms.on }), problem: null });
    } catch (problem) {
      this.setData({ problem });
    }
    this.setData({ busy: false });
  },

  show({ subscriptions }) {
    this.setData({
      problem: null,
      loaded: true,
      subscriptions: subscriptions.map((one) => ({
        ...one,
        endless: one.balance === null,
        on: one.balance === null ? one.last_answer === 'accept' : one.balance > 0,
      })),
    });
  },

  /* Off can only be switched in WeChat itself; on asks WeChat, in this very tap. */
  flip(event) {
    const { id, on } = event.currentTarget.dataset;
    if (on) wx.openSetting({ withSubscriptions: true, success: () => this.load(), fail: () => {} });
    else this.ask(id);
  },

  askMore(event) {
    this.ask(event.currentTarget.dataset.id);
  },

  ask(id) {
    wx.requestSubscribeMessage({
      tmplIds: [id],
      success: (answers) => this.report(id, answers[id]),
      fail: () => this.setData({ told: 'failed' }),
    });
  },

  async report(id, answer) {
    if (typeof answer !== 'string') return;
    this.setData({ told: NOTHING_SHOWN[answer] || '' });
    try {
      this.show(await citizen.post('/api/v1/subscriptions', { [id]: answer }));
    } catch (problem) {
      this.setData({ problem });
    }
  },

  openSettings() {
    wx.openSetting({ withSubscriptions: true, success: () => this.load(), fail: () => {} });
  },
});
