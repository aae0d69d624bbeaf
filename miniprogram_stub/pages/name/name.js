/* 更正姓名: the national platform's word decides; the password or WeChat says who asks. */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'correctName',
  data: { name: '', busy: false, problem: null, named: false, registered: false },

  onShow() {
    const account = citizen.account();
    this.setData({ registered: Boolean(account), named: Boolean(account && account.username) });
  },

  type(event) {
    this.setData({ name: event.detail.value });
  },

  byPassword(event) {
    return this.correct({ password: event.detail.value.password });
  },

  byWeChat() {
    return this.correct(null);
  },

  correct(proof) {
    const { t } = this.data;
    return once(this, async () => {
      await citizen.correctName(this.data.name, proof);
      wx.showToast({ title: t.done, icon: 'success' });
      wx.navigateBack();
    });
  },
});
