/* Log-in of an inspector, for one shift; a password that somebody else has set is changed here. Keeps no password. */
const ending = require('../../utils/ending.js');
const problems = require('../../utils/problems.js');
const { inspector } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

page({
  words: 'stationLogin',
  data: { busy: false, problem: null, mustChange: false },

  /* After the end of the service an inspector is led here, and reads why. */
  onShow() {
    if (ending.isEnded()) this.setData({ problem: problems.made('service-ended') });
  },

  submit(event) {
    const { username, password, fresh } = event.detail.value;
    return once(this, async () => {
      try {
        await inspector.login(username, password, fresh);
      } catch (problem) {
        if (problem.type === 'must-change-password') this.setData({ mustChange: true });
        throw problem;
      }
      wx.redirectTo({ url: '/pages/station/station' });
    });
  },
});
