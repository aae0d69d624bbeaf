/* 申请场所: what the venue is, where, when it is open and by which entrances; an officer of the district answers. */
const districts = require('../../utils/districts.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

// in the order of their words
const KINDS = ['mall', 'market', 'transport', 'hospital', 'school', 'office', 'residential', 'village', 'hotel', 'restaurant', 'other'];
const USUAL = '08:00-22:00';

page({
  words: 'venueApply',
  data: { kind: 0, district: 0, usual: USUAL, sent: false, busy: false, problem: null },

  onLoad() {
    this.form = { hours: Array(7).fill(USUAL) }; // not in the page's data: what is typed is shown by its field alone
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

  submit() {
    const { kind, district } = this.data;
    const { name = '', address = '', code = '', entrances = '', hours } = this.form;
    return once(this, async () => {
      await citizen.post('/api/v1/venues/applications', {
        name,
        kind: KINDS[kind],
        district: districts.zh[district],
        address,
        credit_code: code,
        hours: hours.map((text) => text.trim()),
        entrances: entrances.split(/[、，,]/).map((text) => text.trim()).filter(Boolean),
      });
      this.setData({ sent: true });
    });
  },
});
