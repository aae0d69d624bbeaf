/* 账号找回: this account was recovered at a service window, which ended the binding of this WeChat; who did not ask objects. */
const beijing = require('../../utils/beijing.js');
const { citizen } = require('../../utils/request.js');
const { page, once, reloaded } = require('../../utils/page.js');

const RECOVERY = '/api/v1/accounts/me/recovery';

page({
  words: 'recovery',
  data: { recovery: null, loaded: false, busy: false, problem: null },
  ...reloaded,

  async load() {
    try {
      this.show(await citizen.get(RECOVERY));
    } catch (problem) {
      this.setData({ problem });
    }
  },

  show({ recovery }) {
    const shown = recovery && { ...recovery, at: beijing.minute(recovery.at), until: beijing.minute(recovery.until) };
    this.setData({ recovery: shown, loaded: true, problem: null });
  },

  object() {
    const { t } = this.data;
    return once(this, async () => {
      this.show(await citizen.post(`${RECOVERY}/objection`, {}));
      wx.showToast({ title: t.done, icon: 'success' });
    });
  },
});
