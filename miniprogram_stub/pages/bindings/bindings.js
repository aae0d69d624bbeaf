/* 绑定的微信: which WeChat users open this account, and since when. Another than this one can be unbound. */
const beijing = require('../../utils/beijing.js');
const { citizen } = require('../../utils/request.js');
const { page, once, reloaded } = require('../../utils/page.js');

const BINDINGS = '/api/v1/accounts/me/bindings';

page({
  words: 'bindings',
  data: { bindings: [], loaded: false, busy: false, problem: null },
  ...reloaded,

  async load() {
    try {
      const { bindings } = await citizen.get(BINDINGS);
      this.show(bindings);
    } catch (problem) {
      this.setData({ problem });
    }
  },

  show(bindings) {
    const shown = bindings.map((one) => ({ ...one, since: beijing.minute(one.bound_at) }));
    this.setData({ bindings: shown, loaded: true, problem: null });
  },

  ask(event) {
    const { t } = this.data;
    const { number } = event.currentTarget.dataset;
    return new Promise((resolve) => {
      wx.showModal({
        title: t.end,
        content: t.endAsk,
        confirmText: t.end,
        cancelText: t.cancel,
        success: ({ confirm }) => resolve(confirm && this.end(number)),
      });
    });
  },

  /* Every session of the account ends with it, this phone's too: it goes on with the one of the answer. */
  end(number) {
    const { t } = this.data;
    return once(this, async () => {
      citizen.keep(await citizen.post(`${BINDINGS}/end`, { number }));
      wx.showToast({ title: t.ended, icon: 'success' });
      await this.load();
    });
  },
});
