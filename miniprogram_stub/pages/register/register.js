/*
 * Registration: the account is bound to the WeChat user who asks. Keeps nothing that was entered.
 *
 * Name, document and WeChat's phone are enough, and the tap that gives the phone sends the form. Who wants to types the
 * phone instead, and chooses user name and password here or later.
 */
const { phoneButton } = require('../../config.js');
const { KINDS } = require('../../utils/documents.js');
const privacy = require('../../utils/privacy.js');
const { citizen } = require('../../utils/request.js');
const { entryOf } = require('../../utils/entry.js');
const { page, once } = require('../../utils/page.js');

const QUOTA_SPENT = 1400001; // WeChat's number: nobody has paid for more phone numbers

page({
  words: 'register',
  data: {
    kind: 0, phoneCode: '', phoneButton, typed: !phoneButton, own: false, focused: 'name', consent: '', busy: false, problem: null,
  },

  onLoad(query) {
    this.form = {}; // not in the page's data: what is typed is shown by its field alone
    // who scans the poster and is registered wants to see the code
    if (entryOf(query).from === 'poster' && citizen.account()) wx.redirectTo({ url: '/pages/code/code' });
  },

  write(event) {
    this.form[event.currentTarget.dataset.field] = event.detail.value;
  },

  toNumber() {
    this.setData({ focused: 'number' });
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

  /* WeChat's button gives a code for the number, or nothing when the person says no: then the number is typed. */
  takePhone(event) {
    const phoneCode = event.detail.code || '';
    const offered = phoneButton && event.detail.errno !== QUOTA_SPENT;
    this.setData({ phoneCode, phoneButton: offered, typed: !phoneCode });
    return phoneCode ? this.submit() : Promise.resolve();
  },

  typePhone() {
    this.setData({ phoneCode: '', typed: true });
  },

  askWeChat() {
    this.setData({ typed: false });
  },

  chooseOwn() {
    this.setData({ own: true });
  },

  submit() {
    return once(this, async () => {
      try {
        citizen.keep(await citizen.post('/api/v1/accounts', this.registration()));
      } catch (problem) {
        if (problem.fields && problem.fields.phone_code) this.setData({ phoneCode: '' }); // the code works once
        throw problem;
      }
      wx.redirectTo({ url: '/pages/declare/declare' });
    });
  },

  registration() {
    const { kind, phoneCode, own } = this.data;
    const { name = '', number = '', phone = '', username = '', password = '' } = this.form;
    return {
      name,
      document: { type: KINDS[kind], number },
      ...(phoneCode ? { phone_code: phoneCode } : { phone }),
      ...(own && (username || password) ? { username, password } : {}),
    };
  },
});
