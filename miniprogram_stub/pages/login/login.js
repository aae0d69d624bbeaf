/* Log-in with user name and password, which binds this WeChat user to the account. Keeps no password. */
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'login',
  data: { busy: false, problem: null },

  submit(event) {
    const { username, password } = event.detail.value;
    return once(this, async () => {
      citizen.keep(await citizen.post('/api/v1/accounts/login', { username, password }));
      wx.redirectTo({ url: '/pages/code/code' });
    });
  },
});
