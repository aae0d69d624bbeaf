/* 我的场所: venues that this citizen manages, that are offered to them, and what they have applied for. */
const beijing = require('../../utils/beijing.js');
const { citizen } = require('../../utils/request.js');
const { page, once, reloaded } = require('../../utils/page.js');

const VENUES = '/api/v1/venues';

page({
  words: 'venues',
  data: { venues: [], offers: [], applications: [], loaded: false, busy: false, problem: null },
  ...reloaded,

  async load() {
    try {
      const { venues, offers, applications } = await citizen.get(VENUES);
      this.setData({
        venues: venues.map(({ id, name, district, entrances }) => ({ id, name, district, alarmed: entrances.some(({ code }) => code && code.alarm) })),
        offers: offers.map((one) => ({ ...one, until: beijing.minute(one.expires_at) })),
        applications: applications.map((one) => ({ ...one, at: beijing.minute(one.applied_at) })),
        loaded: true,
        problem: null,
      });
    } catch (problem) {
      this.setData({ problem });
    }
  },

  accept(event) {
    return this.change('/handovers/accept', { venue: event.currentTarget.dataset.id }, this.data.t.accepted);
  },

  decline(event) {
    return this.change('/handovers/decline', { venue: event.currentTarget.dataset.id }, this.data.t.declined);
  },

  withdraw(event) {
    return this.change('/applications/withdraw', { id: event.currentTarget.dataset.id }, this.data.t.withdrawn);
  },

  change(path, body, done) {
    return once(this, async () => {
      await citizen.post(`${VENUES}${path}`, body);
      wx.showToast({ title: done, icon: 'success' });
      await this.load();
    });
  },
});
