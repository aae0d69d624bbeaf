/* One's own password, changed by who knows the current one. Keeps no password. */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'password',
  data: { busy: false, problem: null },

  submit(event) {
    const { current, password } = event.detail.value;
    return once(this, async () => {
      citizen.keep(await citizen.put('/api/v1/accounts/me/password', { current, password }));
      wx.showToast({ title: this.data.t.changed, icon: 'success' });
      wx.navigateBack();
    });
  },
});
