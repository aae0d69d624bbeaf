/*
 * 家人: the codes of everybody whom this phone may show, one open at a time, so that no scanner reads a neighbor's.
 *
 * Nothing of them is stored on the phone: each showing asks the server, and whoever has ended it is not there any more.
 * Also the invitations to answer, and who shows the code of this account. A tap on a member opens their code, which is
 * renewed before it ends.
 */
const beijing = require('../../utils/beijing.js');
const clock = require('../../utils/clock.js');
const qr = require('../../utils/qr.js');
const { citizen } = require('../../utils/request.js');
const { page, once, reloaded } = require('../../utils/page.js');

const FAMILY = '/api/v1/family';
const RETRY = 5; // seconds at least, before a server that did not answer is asked again

page({
  words: 'family',
  data: {
    members: [], invitations: [], holders: [], most: 8, open: '', image: '', time: '', allowed: {}, loaded: false, busy: false, problem: null,
  },
  ...reloaded,

  onLoad() {
    this.round = 0;
    if (wx.setVisualEffectOnCapture) wx.setVisualEffectOnCapture({ visualEffect: 'hidden' });
    wx.hideShareMenu();
  },

  onHide() {
    this.leave();
    this.setData({ image: '', members: [], loaded: false }); // asked for again when the page is seen again
  },

  onUnload() {
    this.leave();
  },

  leave() {
    this.round += 1;
    clearTimeout(this.renewal);
    clearTimeout(this.ending);
    clearInterval(this.ticking);
  },

  async load() {
    this.leave();
    const { round } = this;
    try {
      const answers = await Promise.all(['', '/invitations', '/holders'].map((path) => citizen.get(`${FAMILY}${path}`)));
      if (round === this.round) this.show(...answers);
    } catch (problem) {
      if (round === this.round) this.fail(problem);
    }
  },

  show({ members, most }, { invitations }, { holders }) {
    const { language } = this.data;
    this.codes = members;
    this.setData({
      members: members.map((member) => inWords(member, language)),
      invitations: invitations.map((one) => ({ ...one, until: beijing.minute(one.expires_at) })),
      holders: holders.map((one) => ({ ...one, since: beijing.minute(one.since) })),
      most,
      loaded: true,
      problem: null,
    });
    this.draw(members.some((one) => one.id === this.data.open) ? this.data.open : firstToOpen(members));
    this.tick();
    this.ticking = setInterval(() => this.tick(), 1000);
    const lives = members.filter((one) => one.code).map((one) => one.code);
    if (!lives.length) return;
    this.renewal = setTimeout(() => this.load(), 1000 * lives[0].renew_in);
    this.ending = setTimeout(() => this.setData({ image: '' }), 1000 * lives[0].expires_in);
  },

  /* Draw the code of one member, and of nobody else. */
  draw(id) {
    const member = this.codes.find((one) => one.id === id && one.code);
    this.setData({ open: id, image: member ? qr.picture(member.code.token) : '' });
  },

  toggle(event) {
    const { id } = event.currentTarget.dataset;
    if (this.data.open === id) this.setData({ open: '', image: '' });
    else this.draw(id);
  },

  tick() {
    this.setData({ time: beijing.second(clock.now()) });
  },

  /* While the code on the screen holds, a renewal that failed is tried again behind it; else nobody is shown. */
  fail(problem) {
    if (!(problem.passing && this.data.image)) this.setData({ members: [], image: '', loaded: false, problem });
    if (!problem.passing) return;
    this.renewal = setTimeout(() => this.load(), 1000 * Math.max(problem.retryAfter, RETRY) * (1 + Math.random()));
  },

  allow(event) {
    const { id } = event.currentTarget.dataset;
    this.setData({ allowed: { ...this.data.allowed, [id]: event.detail.value.length > 0 } });
  },

  accept(event) {
    const { id } = event.currentTarget.dataset;
    return this.change('/invitations/accept', { id, may_declare: Boolean(this.data.allowed[id]) }, this.data.t.accepted);
  },

  decline(event) {
    return this.change('/invitations/decline', { id: event.currentTarget.dataset.id }, this.data.t.declined);
  },

  askEnd(event) {
    const { t, members } = this.data;
    const { id, side } = event.currentTarget.dataset;
    const child = side === 'members' && members.some((member) => member.id === id && member.isChild);
    return new Promise((resolve) => {
      wx.showModal({
        title: t.end,
        content: child ? t.endChildAsk : t.endAsk,
        confirmText: t.end,
        cancelText: t.cancel,
        success: ({ confirm }) => resolve(confirm && this.change(`/${side}/end`, { id }, t.ended)),
      });
    });
  },

  change(path, body, done) {
    return once(this, async () => {
      await citizen.post(`${FAMILY}${path}`, body);
      wx.showToast({ title: done, icon: 'success' });
      await this.load();
    });
  },

  declareFor(event) {
    const { id } = event.currentTarget.dataset;
    const { name, number } = this.data.members.find((member) => member.id === id);
    const query = `member=${id}&name=${encodeURIComponent(name)}&number=${encodeURIComponent(number)}`;
    wx.navigateTo({ url: `/pages/declare/declare?${query}` });
  },
});

/* The first who has a code; where nobody has, the first, who has to declare. */
function firstToOpen(members) {
  const found = members.find((member) => member.code) || members[0];
  return found ? found.id : '';
}

/* What the page shows of a member; the token is in the picture, and nowhere else. */
function inWords({ id, name, document_number: number, consent, may_declare: mayDeclare, since, code, without_code: without }, language) {
  const state = code ? code.state.toLowerCase() : 'not_declared';
  return {
    id,
    name,
    number,
    isChild: consent === 'guardian',
    mayDeclare,
    since: beijing.minute(since),
    state,
    mark: `/images/state-${state}.svg`,
    word: code ? code.word : '',
    title: code ? code.title : without,
    advice: code ? code.advice : '',
    until: code && code.until ? beijing.end(code.until, language, clock.now()) : '',
    stale: Boolean(code && code.stale),
    hasCode: Boolean(code),
  };
}
