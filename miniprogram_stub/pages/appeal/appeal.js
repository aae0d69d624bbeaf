/*
 * 申请纠错: a citizen says why the decision in force is wrong, and may attach pictures and documents.
 *
 * Asks first whether one is open already, so that nobody writes in vain. What was written stays on the page until the
 * server has taken it; files are read one by one when they are sent, and are never in the page's data.
 */
const attachments = require('../../utils/attachments.js');
const beijing = require('../../utils/beijing.js');
const clock = require('../../utils/clock.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

const PATH = '/api/v1/appeals';
const LONGEST = 500; // characters
const PATIENCE = 60000; // milliseconds: pictures on a slow network take their time
const MINUTE = 60000;

/* After these a declaration comes first. */
const BY_DECLARING = ['identity-unconfirmed', 'not-declared'];

/* After these an appeal is there, or may be: its answer got lost, and nobody should have to guess. */
const MAY_BE_THERE = ['appeal-open', 'timed-out', 'offline'];

page({
  words: 'appeal',
  data: {
    loaded: false, due: '', text: '', files: [], longest: LONGEST, most: attachments.MOST, tooLarge: false,
    missing: false, doing: '', busy: false, problem: null, toDeclare: false, mayBeThere: false, again: '',
  },

  onLoad() {
    return this.load();
  },

  async load() {
    try {
      const { appeals } = await citizen.get(PATH);
      const open = appeals.find((appeal) => appeal.state === 'open');
      this.setData({ loaded: true, due: open ? beijing.minute(open.due_at) : '', problem: null });
    } catch (problem) {
      this.setData({ problem });
    }
  },

  write(event) {
    this.setData({ text: event.detail.value, missing: false });
  },

  addPictures() {
    return this.add(attachments.pictures);
  },

  addDocuments() {
    return this.add(attachments.documents);
  },

  async add(choose) {
    try {
      const chosen = await choose(attachments.MOST - this.data.files.length);
      const small = chosen.filter(({ size }) => size <= attachments.MOST_BYTES);
      const files = this.data.files.concat(small.map(inWords)).slice(0, attachments.MOST);
      this.setData({ files, tooLarge: small.length < chosen.length, problem: null });
    } catch (problem) {
      this.setData({ problem });
    }
  },

  remove(event) {
    const { path } = event.currentTarget.dataset;
    this.setData({ files: this.data.files.filter((file) => file.path !== path), tooLarge: false });
  },

  submit() {
    if (!this.data.text.trim()) {
      this.setData({ missing: true });
      return Promise.resolve();
    }
    return once(this, async () => {
      try {
        await this.send();
      } catch (problem) {
        this.explain(problem);
        throw problem;
      } finally {
        this.setData({ doing: '' });
      }
      wx.showToast({ title: this.data.t.sent, icon: 'success' });
      wx.redirectTo({ url: '/pages/appeals/appeals' });
    });
  },

  async send() {
    const { t, text, files } = this.data;
    const encoded = [];
    for (const file of files) {
      this.setData({ doing: `${t.reading} ${encoded.length + 1}/${files.length}` });
      encoded.push(await attachments.read(file));
    }
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    this.setData({ doing: bytes ? `${t.sending} ${attachments.sizeInWords(bytes)}` : t.sending });
    await citizen.post(PATH, { text, attachments: encoded }, { timeout: PATIENCE });
  },

  /* What a refusal says of each file, and the way on from it. */
  explain({ type, fields = {}, retryAfter }) {
    const files = this.data.files.map((file, index) => ({ ...file, wrong: fields[`attachments_${index}`] || '' }));
    const free = clock.now() + 1000 * retryAfter + MINUTE; // told to the minute, never too early
    this.setData({
      files,
      toDeclare: BY_DECLARING.includes(type),
      mayBeThere: MAY_BE_THERE.includes(type),
      again: retryAfter ? beijing.minute(beijing.stamp(free)) : '',
    });
  },
});

/* A chosen file as the page shows it, and reads it when it is sent. */
function inWords(file) {
  return { ...file, told: attachments.sizeInWords(file.size), wrong: '' };
}
