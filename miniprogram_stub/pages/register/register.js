/* Registration: the account is bound to the WeChat user who asks. Keeps nothing that was entered. */
const request = require('../../utils/request.js');

/* The server's names for the kinds of document, and the people's. */
const KINDS = [
  { id: 'id-card', word: '居民身份证' },
  { id: 'residence-permit', word: '港澳台居民居住证' },
  { id: 'hong-kong-macau-permit', word: '港澳居民来往内地通行证' },
  { id: 'taiwan-permit', word: '台湾居民来往大陆通行证' },
  { id: 'permanent-residence', word: '外国人永久居留身份证' },
  { id: 'passport', word: '护照' },
];

Page({
  data: { kinds: KINDS, kind: 0, busy: false, problem: null },

  chooseKind(event) {
    this.setData({ kind: Number(event.detail.value) });
  },

  async submit(event) {
    const { username, password, name, number, phone } = event.detail.value;
    const document = { type: KINDS[this.data.kind].id, number };
    this.setData({ busy: true, problem: null });
    try {
      const answer = await request.post('/api/v1/accounts', { username, password, name, document, phone });
      request.keepSession(answer.session);
      wx.redirectTo({ url: '/pages/code/code' });
    } catch (problem) {
      this.setData({ problem });
    }
    this.setData({ busy: false });
  },
});
