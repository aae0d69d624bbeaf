/* Log-in with user name and password, which binds this WeChat user to the account. Keeps no password. */
const request = require('../../utils/request.js');

Page({
  data: { busy: false, problem: null },

  async submit(event) {
    const { username, password } = event.detail.value;
    this.setData({ busy: true, problem: null });
    try {
      const answer = await request.post('/api/v1/accounts/login', { username, password });
      request.keepSession(answer.session);
      wx.redirectTo({ url: '/pages/code/code' });
    } catch (problem) {
      this.setData({ problem });
    }
    this.setData({ busy: false });
  },
});
