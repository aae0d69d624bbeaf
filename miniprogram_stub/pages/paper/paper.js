/* 纸质码: the card on paper of this account. It is printed from its PDF; another one, or a loss, ends it at once. */
const beijing = require('../../utils/beijing.js');
const { citizen } = require('../../utils/request.js');
const { page, once, reloaded } = require('../../utils/page.js');

const CARDS = '/api/v1/paper-cards';

page({
  words: 'paper',
  data: { card: null, loaded: false, busy: false, problem: null },
  ...reloaded,

  async load() {
    try {
      this.show(await citizen.get(`${CARDS}/current`));
    } catch (problem) {
      if (problem.type === 'no-paper-card') this.show(null);
      else this.setData({ problem });
    }
  },

  show(card) {
    const shown = card && { ...card, issued: beijing.minute(card.issued_at), ends: beijing.day(Date.parse(card.ends_at)) };
    this.setData({ card: shown, loaded: true, problem: null });
  },

  /* The first card is issued at once; another one ends what is printed already. */
  get() {
    return this.data.card ? this.ask('again', () => this.issue()) : this.issue();
  },

  issue() {
    return once(this, async () => this.show(await citizen.post(CARDS)));
  },

  open() {
    return once(this, async () => {
      const filePath = await citizen.file(`${CARDS}/current.pdf`);
      await new Promise((resolve, reject) => {
        wx.openDocument({ filePath, fileType: 'pdf', showMenu: true, success: resolve, fail: reject });
      });
    });
  },

  lose() {
    return this.ask('lost', () =>
      once(this, async () => {
        await citizen.post(`${CARDS}/current/loss`);
        this.show(null);
        wx.showToast({ title: this.data.t.lostDone, icon: 'success' });
      }),
    );
  },

  ask(what, act) {
    const { t } = this.data;
    return new Promise((resolve) => {
      wx.showModal({
        title: t[what],
        content: t[`${what}Ask`],
        confirmText: t[what],
        cancelText: t.cancel,
        success: ({ confirm }) => resolve(confirm && act()),
      });
    });
  },
});
