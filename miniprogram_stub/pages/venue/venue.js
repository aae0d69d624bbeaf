/*
 * 场所管理: the inspectors of one venue and the phones on which they are logged in, its counts by hour, entrances, opening
 * hours, hand-over and end. A password that the server gives is shown until the page is left, and stored nowhere.
 */
const beijing = require('../../utils/beijing.js');
const { KINDS } = require('../../utils/documents.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

const VENUES = '/api/v1/venues';

page({
  words: 'venue',
  data: {
    venue: null, alarmed: false, names: [], counts: null, entrance: 0, kind: 0, given: null, open: '', loaded: false, busy: false, problem: null,
  },

  onLoad({ id }) {
    this.id = Number(id) || 0;
    this.form = {}; // not in the page's data: what is typed is shown by its field alone
  },

  onShow() {
    return this.load();
  },

  onHide() {
    this.setData({ given: null });
  },

  async load() {
    try {
      const { venues } = await citizen.get(VENUES);
      const venue = venues.find((one) => !this.id || one.id === this.id); // the only one, most often
      this.id = venue ? venue.id : this.id;
      this.setData({ loaded: true, problem: null, ...inWords(venue, this.data.t) });
      if (venue) this.form.hours = venue.hours.slice();
    } catch (problem) {
      this.setData({ problem });
    }
  },

  write(event) {
    this.form[event.currentTarget.dataset.field] = event.detail.value;
  },

  writeHours(event) {
    this.form.hours[event.currentTarget.dataset.day] = event.detail.value;
  },

  choose(event) {
    this.setData({ [event.currentTarget.dataset.field]: Number(event.detail.value) });
  },

  /* One of the parts that are folded: counts, hours, hand-over. */
  async unfold(event) {
    const { part } = event.currentTarget.dataset;
    this.setData({ open: this.data.open === part ? '' : part });
    if (this.data.open === 'counts') await this.readCounts();
  },

  /* Another print ends the one before after some days, or at once where it was abused. */
  renew(event) {
    const { id, code } = this.data.venue.entrances[event.currentTarget.dataset.index];
    const make = () => this.change('/codes', { entrance: id, at_once: Boolean(code && code.alarm) });
    return code ? this.ask(code.alarm ? this.data.t.endAsk : this.data.t.nextAsk, make) : make();
  },

  openPoster(event) {
    const { id } = this.data.venue.entrances[event.currentTarget.dataset.index];
    return once(this, async () => {
      const filePath = await citizen.file(`${VENUES}/codes/current.pdf?venue=${this.id}&entrance=${id}`);
      await new Promise((resolve, reject) => {
        wx.openDocument({ filePath, fileType: 'pdf', showMenu: true, success: resolve, fail: reject });
      });
    });
  },

  async readCounts() {
    try {
      this.setData({ counts: await citizen.get(`${VENUES}/counts?venue=${this.id}`) });
    } catch (problem) {
      this.setData({ problem });
    }
  },

  add() {
    const { venue, entrance } = this.data;
    const body = { entrance: venue.entrances[entrance].id, username: this.form.username || '' };
    return this.change('/inspectors', body);
  },

  move(event) {
    const { id } = event.currentTarget.dataset;
    const entrance = this.data.venue.entrances[Number(event.detail.value)].id;
    return this.change('/inspectors/move', { inspector: id, entrance });
  },

  disable(event) {
    return this.ask(this.data.t.disableAsk, () => this.change('/inspectors/disable', { inspector: event.currentTarget.dataset.id }));
  },

  enable(event) {
    return this.change('/inspectors/enable', { inspector: event.currentTarget.dataset.id });
  },

  reset(event) {
    return this.ask(this.data.t.resetAsk, () => this.change('/inspectors/password', { inspector: event.currentTarget.dataset.id }));
  },

  endSession(event) {
    const { id, session } = event.currentTarget.dataset;
    return this.change('/inspectors/sessions/end', { inspector: id, session });
  },

  addEntrance() {
    return this.change('/entrances', { name: this.form.entranceName || '' });
  },

  setHours() {
    return once(this, async () => {
      await citizen.put(`${VENUES}/hours`, { venue: this.id, hours: this.form.hours.map((text) => text.trim()) });
      await this.done();
    });
  },

  offer() {
    const { name = '', number = '' } = this.form;
    return this.change('/handovers', { name, document: { type: KINDS[this.data.kind], number } });
  },

  takeBack() {
    return this.change('/handovers/end', {});
  },

  close() {
    return this.ask(this.data.t.closeAsk, () => once(this, async () => {
      await citizen.post(`${VENUES}/close`, { venue: this.id });
      wx.navigateBack();
    }));
  },

  change(path, body) {
    return once(this, async () => {
      const answer = await citizen.post(`${VENUES}${path}`, { venue: this.id, ...body });
      if (answer && answer.password) this.setData({ given: answer });
      await this.done();
    });
  },

  async done() {
    wx.showToast({ title: this.data.t.done, icon: 'success' });
    await this.load();
  },

  ask(content, act) {
    const { t } = this.data;
    return new Promise((resolve) => {
      wx.showModal({
        title: t.sure,
        content,
        confirmText: t.yes,
        cancelText: t.no,
        success: ({ confirm }) => resolve(confirm && act()),
      });
    });
  },
});

/* What the page shows of the venue: its inspectors with the place of their entrance, and times in Beijing. */
function inWords(venue, t) {
  if (!venue) return { venue: null, alarmed: false };
  const inspectors = venue.inspectors.map((one) => ({
    ...one,
    word: t.states[one.state],
    place: venue.entrances.findIndex(({ id }) => id === one.entrance),
    sessions: one.sessions.map(({ id, started_at: started, seen_at: seen }) => ({
      id, started: beijing.minute(started), seen: beijing.minute(seen),
    })),
  }));
  const entrances = venue.entrances.map((one) => ({
    ...one,
    until: one.code ? beijing.day(Date.parse(one.code.ends_at)) : '',
  }));
  return {
    alarmed: entrances.some(({ code }) => code && code.alarm),
    venue: { ...venue, entrances, inspectors, offered: venue.offered_until ? beijing.minute(venue.offered_until) : '' },
    names: venue.entrances.map(({ name }) => name),
  };
}
