/*
 * 查看吉祥码: the code with its reasons, renewed before it ends.
 *
 * One request brings it all; the phone draws the QR code itself. Shows a QR code only while it is fresh: one that cannot
 * be renewed goes from the screen, and what was known last is told in words with its time. Decides nothing about color.
 */
const aloud = require('../../utils/aloud.js');
const beijing = require('../../utils/beijing.js');
const clock = require('../../utils/clock.js');
const ending = require('../../utils/ending.js');
const qr = require('../../utils/qr.js');
const strip = require('../../utils/strip.js');
const { brighten, dim } = require('../../utils/brightness.js');
const { citizen } = require('../../utils/request.js');
const { page, reloaded } = require('../../utils/page.js');

const RETRY = 5; // seconds at least, before a screen that stays open asks a server again that did not answer

/* What is missing and comes by declaring again. */
const BY_DECLARING = ['declaration', 'symptom-free-declaration', 'identity'];

page({
  words: 'code',
  data: { code: null, strip: null, image: '', problem: null, time: '', name: '', said: '', canRead: false, reading: false, ending: null },
  ...reloaded,

  onLoad() {
    this.round = 0;
    if (wx.setVisualEffectOnCapture) wx.setVisualEffectOnCapture({ visualEffect: 'hidden' });
    wx.hideShareMenu();
  },

  onShow() {
    brighten(this);
    this.setData({ ending: ending.announced() });
    return this.load();
  },

  onHide() {
    this.leave();
    aloud.stop();
    dim(this);
    this.setData({ image: '', strip: null }); // it will have ended by the time the page is seen again
  },

  onUnload() {
    this.leave();
    aloud.stop();
    dim(this);
  },

  /* End all timers; an answer that is still under way belongs to an earlier round and is not shown. */
  leave() {
    this.round += 1;
    clearTimeout(this.renewal);
    clearTimeout(this.ending);
    clearInterval(this.ticking);
  },

  async load() {
    clearTimeout(this.renewal);
    this.round += 1;
    const round = this.round;
    if (!this.data.code) this.showStripAtOnce(round);
    try {
      const code = await citizen.get('/api/v1/code');
      if (round === this.round) this.show(code);
    } catch (problem) {
      if (round === this.round) this.fail(problem);
    }
  },

  show(code) {
    const account = citizen.account();
    this.leave();
    this.setData({ code: inWords(code, this.data.language), image: qr.picture(code.token), problem: null, strip: null, name: account ? account.name : '' });
    this.say(this.data.code);
    this.tick();
    this.ticking = setInterval(() => this.tick(), 1000);
    this.renewal = setTimeout(() => this.load(), 1000 * code.renew_in);
    this.ending = setTimeout(() => this.setData({ image: '' }), 1000 * code.expires_in);
    strip.refresh();
  },

  /* State and reason in words: a screen reader says them when they are there and when they change, not at each renewal. */
  say({ word, reasons, followUps }) {
    const [{ title, explanation, advice } = {}] = reasons;
    const next = followUps.map((one) => one.text);
    const parts = [this.data.t.now + word, title, explanation, advice, ...next].filter(Boolean);
    const said = parts.map((part) => (/[。.]$/.test(part) ? part : part + (this.data.language === 'zh' ? '。' : '.'))).join(' ');
    this.setData({ said, canRead: aloud.canRead(this.data.language) });
  },

  readAloud() {
    const { t, said, language, reading } = this.data;
    if (reading) return aloud.stop();
    this.setData({ reading: true });
    return aloud
      .read(said, language)
      .catch(() => wx.showToast({ title: t.noVoice, icon: 'none' }))
      .then(() => this.setData({ reading: false }));
  },

  takeStrip() {
    return strip.take().then(
      () => wx.showToast({ title: this.data.t.stripTaken, icon: 'success' }),
      (problem) => wx.showToast({ title: problem.title, icon: 'none' }),
    );
  },

  /* Where the phone knows that there is no network, nobody waits for the attempts to reach the server. */
  showStripAtOnce(round) {
    wx.getNetworkType({
      success: ({ networkType }) => {
        if (networkType === 'none' && round === this.round && !this.data.code) this.showStrip();
      },
    });
  },

  /* Without network: the code of this window, which says as of when; the next one follows when it ends. */
  showStrip() {
    const one = strip.current();
    if (!one) return this.setData({ strip: null });
    const state = one.state.toLowerCase();
    const shown = { state, word: one.word, mark: `/images/state-${state}.svg`, asOf: beijing.minute(one.asOf), image: qr.picture(one.token) };
    this.setData({ strip: shown, said: `${this.data.t.now}${one.word} ${this.data.t.offlineAsOf} ${shown.asOf}` });
    this.tick();
    clearInterval(this.ticking);
    this.ticking = setInterval(() => this.tick(), 1000);
    clearTimeout(this.ending);
    this.ending = setTimeout(() => this.showStrip(), Math.max(1000, one.endsAt - clock.now()));
    return undefined;
  },

  /* The time by the server's clock: it shows that this is no screenshot. */
  tick() {
    this.setData({ time: beijing.second(clock.now()) });
  },

  /* While the code on the screen holds, a renewal that failed is tried again behind it. */
  fail(problem) {
    const holds = problem.passing && this.data.image;
    if (!holds) {
      this.leave();
      this.setData({ said: '', code: problem.passing ? this.data.code : null, image: '', problem, strip: problem.passing ? this.data.strip : null });
      if (problem.passing) this.showStrip();
    }
    if (!problem.passing) return;
    const seconds = Math.max(problem.retryAfter, RETRY) * (1 + Math.random()); // not all phones at once
    this.renewal = setTimeout(() => this.load(), 1000 * seconds);
  },
});

/* What the page shows of the server's answer; the token is in the picture, and nowhere else. */
function inWords(code, language) {
  const state = code.state.toLowerCase();
  return {
    word: code.word,
    color: code.color,
    stale: code.stale,
    missing: code.missing,
    followUps: code.follow_ups || [], // an older server has none
    state,
    mark: `/images/state-${state}.svg`,
    toDeclare: code.missing.some((missing) => BY_DECLARING.includes(missing.id)),
    asOf: beijing.minute(code.as_of),
    reasons: code.reasons.map((reason) => ({
      ...reason,
      since: beijing.minute(reason.since),
      until: reason.until && beijing.end(reason.until, language, clock.now()),
      authorities: reason.authorities.join(language === 'zh' ? '、' : ', '),
    })),
  };
}
