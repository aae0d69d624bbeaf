/* 注销账号: delete one's own account, confirmed by the password or by WeChat. Keeps no password. */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');
const draft = require('../../utils/draft.js');
const privacy = require('../../utils/privacy.js');

page({
  words: 'erase',
  data: { busy: false, problem: null, registered: true, named: true },

  /* Who has no user name has no password either. */
  onShow() {
    const account = citizen.account();
    this.setData({ registered: Boolean(account), named: Boolean(account && account.username) });
  },

  byPassword(event) {
    const { password } = event.detail.value;
    return this.confirm({ password });
  },

  byWeChat() {
    return this.confirm(null);
  },

  confirm(proof) {
    const { t } = this.data;
    return new Promise((resolve) => {
      wx.showModal({
        title: t.title,
        content: t.ask,
        confirmText: t.yes,
        cancelText: t.cancel,
        success: ({ confirm }) => resolve(confirm && this.erase(proof)),
      });
    });
  },

  erase(proof) {
    const { t } = this.data;
    return once(this, async () => {
      const { notice } = await citizen.erase(proof);
      draft.clear();
      privacy.forget();
      const home = () => wx.reLaunch({ url: '/pages/home/home' });
      wx.showModal({ title: t.done, content: notice, confirmText: t.close, showCancel: false, complete: home });
    });
  },
});
