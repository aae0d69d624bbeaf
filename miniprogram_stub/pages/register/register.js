/* Registration: the account is bound to the WeChat user who asks. Keeps nothing that was entered. */
const { phoneButton } = require('../../config.js');
const privacy = require('../../utils/privacy.js');
const { citizen } = require('../../utils/request.js');
const { entryOf } = require('../../utils/entry.js');
const { page, once } = require('../../utils/page.js');

const QUOTA_SPENT = 1400001; // WeChat's number: nobody has paid for more phone numbers

/*
 * The server's names for the kinds of document, in the order of the words in utils/texts.js. Birth certificates are not
 * among them: an infant's guardian comes to a service window. What is typed is sent as it is: the server folds it.
 */
const KINDS = [
  'id-card',
  'residence-permit',
  'hong-kong-macau-permit',
  'taiwan-permit',
  'permanent-residence',
  'passport',
  'travel-document',
  'taiwan-one-time-permit',
];

page({
  words: 'register',
  data: { kind: 0, phoneCode: '', phoneButton, consent: '', busy: false, problem: null },

  /* Who scans the poster and is registered wants to see the code. */
  onLoad(query) {
    if (entryOf(query).from === 'poster' && citizen.account()) wx.redirectTo({ url: '/pages/code/code' });
  },

  /* Before the consent there is no form, so that nothing can be entered and sent. */
  async onShow() {
    this.setData({ consent: (await privacy.isMissing()) ? 'missing' : 'given' });
  },

  agreed() {
    this.setData({ consent: 'given' });
  },

  refused() {
    wx.reLaunch({ url: '/pages/home/home' });
  },

  chooseKind(event) {
    this.setData({ kind: Number(event.detail.value) });
  },

  /* WeChat's button gives a code for the number, or nothing when the person says no. */
  takePhone(event) {
    this.setData({ phoneCode: event.detail.code || '', phoneButton: phoneButton && event.detail.errno !== QUOTA_SPENT });
  },

  typePhone() {
    this.setData({ phoneCode: '' });
  },

  submit(event) {
    return once(this, async () => {
      try {
        citizen.keep(await citizen.post('/api/v1/accounts', this.registration(event.detail.value)));
      } catch (problem) {
        if (problem.fields && problem.fields.phone_code) this.setData({ phoneCode: '' }); // the code works once
        throw problem;
      }
      wx.redirectTo({ url: '/pages/declare/declare' });
    });
  },

  registration({ username, password, name, number, phone }) {
    const document = { type: KINDS[this.data.kind], number };
    const { phoneCode } = this.data;
    return { username, password, name, document, ...(phoneCode ? { phone_code: phoneCode } : { phone }) };
  },
});
