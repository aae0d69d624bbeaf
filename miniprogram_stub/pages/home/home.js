/* The service hall's home page: the columns that the server gives, 人人有码、码上行动 among them. */
const pages = require('../../pages.js');
const request = require('../../utils/request.js');

Page({
  data: { title: '', columns: [], problem: null },

  onLoad() {
    return this.load();
  },

  async load() {
    try {
      const home = await request.getOpen('/api/v1/home');
      this.setData({ title: home.title, columns: home.columns.map(withReach), problem: null });
    } catch (problem) {
      this.setData({ problem });
    }
  },

  open(event) {
    const { page } = event.currentTarget.dataset;
    if (pages.includes(page)) wx.navigateTo({ url: `/${page}` });
  },
});

/* A column whose entries say whether this mini-program has their page. */
function withReach(column) {
  return { ...column, entries: column.entries.map((entry) => ({ ...entry, here: pages.includes(entry.page) })) };
}
