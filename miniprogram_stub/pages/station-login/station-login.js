/* Log-in of an inspector, for one shift. Keeps no password. */
const { inspector } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'stationLogin',
  data: { busy: false, problem: null },

  submit(event) {
    const { username, password } = event.detail.value;
    return once(this, async () => {
      await inspector.login(username, password);
      wx.redirectTo({ url: '/pages/station/station' });
    });
  },
});
