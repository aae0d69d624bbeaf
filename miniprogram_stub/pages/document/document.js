/* 更正证件: the national platform's word decides, or two officers; what became of it is shown, and can be objected to. */
const beijing = require('../../utils/beijing.js');
const districts = require('../../utils/districts.js');
const { KINDS } = require('../../utils/documents.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

const REASONS = ['renewed', 'mistyped', 'other-kind']; // in the order of their words

page({
  words: 'correctDocument',
  data: {
    kind: 0, reason: 0, district: 0, state: '', until: '', account: null, busy: false, problem: null, named: false, registered: false,
  },

  async onShow() {
    const account = citizen.account();
    this.setData({ registered: Boolean(account), named: Boolean(account && account.username), account });
    if (account) await this.load();
  },

  async load() {
    try {
      this.show(await citizen.correction());
    } catch (problem) {
      this.setData({ problem });
    }
  },

  show({ state, object_until: until, account }) {
    this.setData({ state: state || '', until: until ? beijing.minute(until) : '', account, problem: null });
  },

  write(event) {
    this.number = event.detail.value; // not in the page's data: what is typed is shown by its field alone
  },

  choose(event) {
    this.setData({ [event.currentTarget.dataset.field]: Number(event.detail.value) });
  },

  byPassword(event) {
    return this.correct({ password: event.detail.value.password });
  },

  byWeChat() {
    return this.correct(null);
  },

  correct(proof) {
    const { kind, reason, district } = this.data;
    return once(this, async () => {
      const document = { type: KINDS[kind], number: this.number || '' };
      this.show(await citizen.correctDocument({ document, reason: REASONS[reason], district: districts.zh[district] }, proof));
    });
  },

  object() {
    return once(this, async () => {
      this.show(await citizen.objectToCorrection());
    });
  },
});
