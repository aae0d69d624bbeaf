/*
 * 邀请家人, 添加孩子: a person by name and document. Keeps nothing that was entered.
 *
 * An invitation has one answer, whoever it is about; the invited person answers in their own account. A child under 14 is
 * added at once, where the national platform knows the guardian.
 */
const { KINDS } = require('../../utils/documents.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

// the kinds of everybody, in the order of their words; a child has one more
const OF_CHILD = 'birth-certificate';

page({
  words: 'familyAdd',
  data: { child: false, kind: 0, kinds: [], consent: false, needConsent: false, sent: false, busy: false, problem: null },

  onLoad({ child }) {
    this.form = {}; // not in the page's data: what is typed is shown by its field alone
    const { t } = this.data;
    this.setData({ child: Boolean(child), kinds: child ? t.kinds.concat(t.certificate) : t.kinds });
    if (child) wx.setNavigationBarTitle({ title: t.childTitle });
  },

  write(event) {
    this.form[event.currentTarget.dataset.field] = event.detail.value;
  },

  chooseKind(event) {
    this.setData({ kind: Number(event.detail.value) });
  },

  chooseConsent(event) {
    this.setData({ consent: event.detail.value.length > 0, needConsent: false });
  },

  submit() {
    const { child, consent } = this.data;
    if (child && !consent) {
      this.setData({ needConsent: true });
      return Promise.resolve();
    }
    return once(this, () => (child ? this.add() : this.invite()));
  },

  async add() {
    await citizen.post('/api/v1/family/children', { ...this.person(), consent: true });
    wx.showToast({ title: this.data.t.added, icon: 'success' });
    wx.navigateBack();
  },

  async invite() {
    await citizen.post('/api/v1/family/invitations', this.person());
    this.setData({ sent: true });
  },

  person() {
    const { name = '', number = '' } = this.form;
    return { name, document: { type: KINDS.concat(OF_CHILD)[this.data.kind], number } };
  },
});
