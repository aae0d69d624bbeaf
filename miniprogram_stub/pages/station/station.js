/*
 * The inspector's page: scan, see what to do, register a temperature. Works on without network, and says so; only a
 * check by document, of somebody without a phone, needs the server.
 *
 * Scans one code at a tap, or with the camera in the page one code after another. Shows what a code says now and keeps
 * nothing of it: the next scan, or leaving the page, wipes it from the screen.
 */
const ending = require('../../utils/ending.js');
const beijing = require('../../utils/beijing.js');
const documents = require('../../utils/documents.js');
const duty = require('../../utils/duty.js');
const keypad = require('../../utils/keypad.js');
const settings = require('../../utils/settings.js');
const { alert } = require('../../utils/alerts.js');
const { isUsual } = require('../../utils/judging.js');
const paper = require('../../utils/paper.js');
const problems = require('../../utils/problems.js');
const { inspector } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

const LOOK = 30; // seconds between two looks at counts, keys and queue
const AWAY = 3000; // milliseconds out of the camera's sight after which the same code is shown anew

page({
  words: 'station',
  data: {
    station: '',
    online: true,
    today: null,
    ending: null,
    waiting: 0,
    elsewhere: 0,
    sent: null,
    result: null,
    problem: null,
    busy: false,
    scanning: false, // with the camera in the page
    asking: false, // for a document
    fields: {}, // of it that are wrong
    keypad: false,
    digits: '',
    typed: '',
    fits: false,
    wrong: false,
  },

  onLoad() {
    this.heard = ({ isConnected }) => {
      this.setData({ online: isConnected });
      if (isConnected) this.look();
    };
    wx.onNetworkStatusChange(this.heard);
  },

  onShow() {
    if (!inspector.station()) return wx.redirectTo({ url: '/pages/station-login/station-login' });
    this.setData({ station: inspector.station() });
    wx.setKeepScreenOn({ keepScreenOn: true });
    wx.getNetworkType({ success: ({ networkType }) => this.setData({ online: networkType !== 'none' }) });
    clearInterval(this.looking);
    this.looking = setInterval(() => this.look(), 1000 * LOOK);
    return this.look();
  },

  onHide() {
    clearInterval(this.looking);
    this.clear();
  },

  onUnload() {
    clearInterval(this.looking);
    wx.offNetworkStatusChange(this.heard);
    wx.setKeepScreenOn({ keepScreenOn: false });
  },

  /* Send what waits, then ask for keys and counts; what does not answer now is asked again soon. */
  async look() {
    if (duty.waiting()) await this.sendQueue();
    await duty.refresh();
    this.setData({ today: duty.today(), waiting: duty.waiting(), elsewhere: duty.elsewhere(), ending: ending.announced() });
    if (!inspector.station()) wx.redirectTo({ url: '/pages/station-login/station-login' });
  },

  async sendQueue() {
    const outcome = await duty.send();
    this.setData({ waiting: outcome.waiting, sent: outcome.sent || outcome.refused ? outcome : null });
  },

  sendNow() {
    return once(this, () => this.look());
  },

  scan() {
    if (this.data.busy) return;
    wx.scanCode({
      onlyFromCamera: true,
      scanType: ['qrCode'],
      success: ({ result }) => this.check(result),
      fail: () => {}, // closed without a code: the page stays as it was
    });
  },

  toggleScanning() {
    this.seen = null;
    this.setData({ scanning: !this.data.scanning });
  },

  /* The camera tells the code that it sees several times a second: one showing is one check. */
  see({ detail }) {
    const text = detail.result;
    const now = Date.now();
    const same = this.seen && this.seen.text === text && Math.abs(now - this.seen.at) < AWAY;
    if (same) this.seen.at = now;
    if (!text || same || this.data.busy || this.data.keypad || this.data.asking) return undefined;
    this.seen = { text, at: now };
    return this.check(text);
  },

  blind() {
    this.clear();
    this.setData({ scanning: false, problem: problems.made('no-camera') });
  },

  check(text) {
    this.clear();
    if (paper.isPaper(text)) {
      paper.keep(text);
      return wx.navigateTo({ url: '/pages/paper-check/paper-check' });
    }
    this.scanned = { text, at: Date.now() };
    return this.judge(() => duty.check(text), ({ action, issuer }) => !issuer && COUNTED[action]);
  },

  openDocument() {
    this.clear();
    this.setData({ asking: true });
  },

  closeDocument() {
    this.setData({ asking: false });
  },

  /* The form stays while a field of it is wrong. */
  async checkDocument({ detail }) {
    this.scanned = { document: detail };
    await this.judge(() => documents.check(detail), ({ action }) => COUNTED[action]);
    const { problem } = this.data;
    if (problem && problem.type === 'invalid-request') this.setData({ fields: problem.fields, problem: null });
    else this.setData({ asking: false, fields: {} });
  },

  openKeypad() {
    this.type('');
    this.setData({ keypad: true });
  },

  closeKeypad() {
    this.setData({ keypad: false });
  },

  press(event) {
    this.type(keypad.press(this.data.digits, event.currentTarget.dataset.key));
  },

  type(digits) {
    const fits = keypad.inRange(digits);
    this.setData({ digits, fits, typed: keypad.shown(digits), wrong: digits.length === 3 && !fits });
  },

  register() {
    const celsius = keypad.celsius(this.data.digits);
    const { document, text, at } = this.scanned;
    const measure = () => (document ? documents.measure(document, celsius) : duty.measure(text, celsius, at));
    this.setData({ keypad: false });
    return this.judge(measure, ({ state, issuer }) => state && !issuer && 'temperatures');
  },

  /* Ask, then show, sound and count what came of it. */
  judge(ask, countOf) {
    return once(this, async () => {
      try {
        const result = await ask();
        this.setData({ result: inWords(result, this.data.t), online: !result.offline });
        alert(result.action);
        this.count(countOf(result));
      } catch (problem) {
        this.setData({ result: null });
        alert('stop');
        if (!inspector.station()) wx.redirectTo({ url: '/pages/station-login/station-login' });
        throw problem;
      } finally {
        this.setData({ waiting: duty.waiting() });
      }
    });
  },

  /* One more on the screen at once; the server's own numbers come with the next look. */
  count(what) {
    const { today } = this.data;
    if (today && what) this.setData({ today: { ...today, [what]: today[what] + 1 } });
  },

  clear() {
    this.scanned = null;
    this.setData({ result: null, problem: null, asking: false, fields: {}, keypad: false, digits: '', sent: null });
  },

  changeLanguage(event) {
    settings.change({ language: event.currentTarget.dataset.code });
    this.clear(); // its sentences are in the other language
    this.reword();
  },

  changeSize() {
    settings.change({ large: !this.data.large });
    this.reword();
  },

  leave() {
    const { t } = this.data;
    return wx.showModal({
      title: t.leave,
      content: duty.waiting() ? t.leaveUnsent : t.leaveAsk,
      confirmText: t.leave,
      cancelText: t.cancel,
      success: ({ confirm }) => confirm && this.left(),
    });
  },

  async left() {
    this.clear();
    duty.forget(); // while it is known whose work it is
    await inspector.leave().catch(() => {}); // here it is over in any case
    wx.reLaunch({ url: '/pages/home/home' });
  },
});

const COUNTED = { pass: 'passed', measure: 'measured', stop: 'stopped' };
const TITLES = { pass: 'pass', measure: 'measureFirst', stop: 'stop', ask: 'ask' };

/* A result is in the color of its code where both say the same; otherwise the action alone is to be seen. */
function inWords(result, t) {
  const when = beijing.time(result.asOf);
  if (!result.state) return { ...result, look: 'does-ask', title: t.ask, icon: '/images/scan.svg', when };
  const state = result.state.toLowerCase();
  return {
    ...result,
    state,
    // the color of another province is its statement: the page is in the color of what to do
    look: isUsual(result.state, result.action) && !result.issuer ? `state-${state}` : `does-${result.action}`,
    mark: `/images/state-${state}.svg`,
    // a red person waits where they are: 劝返 would tell the inspector to send them away
    title: result.state === 'RED' ? t.keepHere : t[TITLES[result.action]],
    icon: `/images/action-${result.action}.svg`,
    when,
  };
}
