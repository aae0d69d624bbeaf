/* The service hall's home page: who is logged in, the way to the code, and the columns that the server gives. */
const pages = require('../../pages.js');
const exposures = require('../../utils/exposures.js');
const ending = require('../../utils/ending.js');
const numbers = require('../../utils/numbers.js');
const { citizen, home, inspector } = require('../../utils/request.js');
const { page, reloaded } = require('../../utils/page.js');
const settings = require('../../utils/settings.js');
const storage = require('../../utils/storage.js');
const visits = require('../../utils/visits.js');

const STORED = 'home'; // what the server said last, so that the page is there before its answer, and without one
const ASKED = 'recovery.asked'; // when
const HOUR = 3600000; // milliseconds
const RECOVERY = '/api/v1/accounts/me/recovery';
const ACCOUNT_ENTRIES = ['register', 'log-in'];
const ICONS = ['show-code', 'declare', 'history', 'notices', 'subscribe', 'appeals', 'access', 'register', 'log-in', 'family', 'visit', 'venues'];

let started = false; // with the mini-program, not with each home page

page({
  words: 'home',
  data: { columns: [], older: false, problem: null, account: null, recovered: false, openCode: false, ending: null, ended: false, exposed: false },
  ...reloaded,

  onShow() {
    const account = citizen.account();
    const { openCode } = settings.read();
    this.setData({ account, openCode, ending: ending.announced() });
    if (!started && openCode && account) go('pages/code/code'); // as they have chosen; the way back leads here
    started = true;
    this.showColumns(storage.read(STORED) || []);
    this.compareVisits();
    return this.load();
  },

  async load() {
    const asking = this.mayBeUnbound();
    try {
      const { columns, ending: announced, numbers: said, ...told } = await home(asking);
      visits.forgetEnded();
      storage.keep(STORED, columns);
      ending.note(announced);
      numbers.note(said);
      if (asking) await this.noteRecovery(told);
      this.showColumns(columns);
      this.setData({ problem: null, older: false, ending: ending.announced(), ended: false });
    } catch (problem) {
      if (problem.type === 'service-ended') return this.setData({ problem, ended: true, columns: [], older: false, ending: null, account: null });
      return this.setData({ problem, older: this.data.columns.length > 0 });
    }
    return undefined;
  },

  /* Whether this phone was at a place of a notice of exposure, which it alone knows. */
  async compareVisits() {
    await exposures.refresh();
    this.setData({ exposed: exposures.matches().length > 0 });
  },

  /*
   * Whoever was logged in on this phone may have been unbound at a service window. Asked with the columns, once an hour or
   * while there is no account: nobody is logged in for it who never was.
   */
  mayBeUnbound() {
    const due = Date.now() - (storage.read(ASKED) || 0) > HOUR;
    return citizen.isKnown() && (!citizen.account() || due);
  },

  /* A session that has ended is renewed by the call that asks for itself. What the server does not know now is asked later. */
  async noteRecovery({ session_good: isGood, recovery: found }) {
    if (isGood === null) return;
    const { recovery } = isGood ? { recovery: found } : await citizen.get(RECOVERY).catch(() => ({ recovery: null }));
    storage.keep(ASKED, Date.now());
    this.setData({ recovered: Boolean(recovery) && !citizen.account(), account: citizen.account() });
  },

  showColumns(columns) {
    const loggedIn = Boolean(citizen.account());
    this.setData({ columns: columns.map((column) => withReach(column, loggedIn)).filter((column) => column.entries.length) });
  },

  openEntry(event) {
    go(event.currentTarget.dataset.page);
  },

  openStation() {
    go(inspector.station() ? 'pages/station/station' : 'pages/station-login/station-login');
  },

  changeLanguage(event) {
    settings.change({ language: event.currentTarget.dataset.code });
    this.reword();
    return this.load(); // the columns come in the language that was asked for
  },

  changeSize() {
    settings.change({ large: !this.data.large });
    this.reword();
  },

  changeContrast() {
    settings.change({ contrast: !this.data.contrast });
    this.reword();
  },

  changeOpenCode() {
    settings.change({ openCode: !this.data.openCode });
    this.setData({ openCode: settings.read().openCode });
  },

  call() {
    wx.makePhoneCall({ phoneNumber: '12345', fail: () => {} }); // who changes their mind meets no error
  },

  leave() {
    const { t } = this.data;
    wx.showModal({
      title: t.leave,
      content: t.leaveAsk,
      confirmText: t.leave,
      cancelText: t.cancel,
      success: ({ confirm }) => confirm && this.left(),
    });
  },

  async left() {
    const { t } = this.data;
    const everywhere = await citizen.leave().then(() => true, () => false);
    if (everywhere) wx.showToast({ title: t.left, icon: 'success' });
    else wx.showModal({ title: t.left, content: t.leaveAway, showCancel: false });
    return this.onShow();
  },
});

function go(page) {
  if (pages.includes(page)) wx.navigateTo({ url: `/${page}` });
}

/* A column with what can be tapped now: entries say whether their page is here; who is logged in need not register. */
function withReach(column, loggedIn) {
  const entries = column.entries
    .filter((entry) => !(loggedIn && ACCOUNT_ENTRIES.includes(entry.id)))
    .map((entry) => ({
      ...entry,
      here: pages.includes(entry.page),
      icon: ICONS.includes(entry.id) ? `/images/${entry.id}.svg` : '/images/entry.svg',
    }));
  return { ...column, entries };
}
