/*
 * One's own password, changed by who knows the current one; and for who registered without: the first, with a user name.
 * Keeps no password.
 */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'password',
  data: { first: false, busy: false, problem: null },

  onLoad() {
    const account = citizen.account();
    const first = Boolean(account) && !account.username;
    this.setData({ first });
    if (first) wx.setNavigationBarTitle({ title: this.data.t.firstTitle });
  },

  submit(event) {
    const { first, t } = this.data;
    const { username, current, password } = event.detail.value;
    return once(this, async () => {
      if (first) citizen.keep(await citizen.put('/api/v1/accounts/me/credentials', { username, password }));
      else citizen.keep(await citizen.put('/api/v1/accounts/me/password', { current, password }));
      wx.showToast({ title: first ? t.chosen : t.changed, icon: 'success' });
      wx.navigateBack();
    });
  },
});
