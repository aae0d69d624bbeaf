/* 个人信息处理说明: what is done with personal data, for everybody to read, also without logging in. */
const { citizen } = require('../../utils/request.js');
const { page } = require('../../utils/page.js');
const { VERSION } = require('../../utils/privacy.js');

page({
  words: 'privacy',
  data: { version: VERSION, registered: false },

  onShow() {
    this.setData({ registered: Boolean(citizen.account()) });
  },

  openGuide() {
    wx.openPrivacyContract({ fail: () => {} });
  },
});
