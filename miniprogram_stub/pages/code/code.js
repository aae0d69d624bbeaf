/*
 * 查看吉祥码: the code with its reasons, renewed before it ends.
 *
 * Shows a QR code only while it is fresh: one that cannot be renewed goes from the screen, and what was known last
 * is told in words with its time. Decides nothing about the color.
 */
const beijing = require('../../utils/beijing.js');
const request = require('../../utils/request.js');

const RETRY = 5; // seconds at least, before a screen that stays open asks a server again that did not answer
const GRACE = 10; // seconds that a code may take to be renewed before it goes from the screen

/* What is missing and comes by declaring again. */
const BY_DECLARING = ['declaration', 'symptom-free-declaration', 'identity'];

Page({
  data: { code: null, image: '', problem: null, time: '' },

  onLoad() {
    this.round = 0;
  },

  onShow() {
    return this.load();
  },

  onHide() {
    this.leave();
    this.setData({ image: '' }); // it will have ended by the time the page is seen again
  },

  onUnload() {
    this.leave();
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
    try {
      const code = await request.get('/api/v1/code');
      const received = Date.now();
      const picture = await request.getBytes('/api/v1/code.png');
      if (round === this.round) this.show(code, picture, received);
    } catch (problem) {
      if (round === this.round) this.fail(problem);
    }
  },

  show(code, picture, received) {
    const ahead = Date.parse(code.as_of) - received;
    this.leave();
    this.setData({ code: inWords(code), image: dataUri(picture), problem: null });
    this.tick(ahead);
    this.ticking = setInterval(() => this.tick(ahead), 1000);
    this.renewal = setTimeout(() => this.load(), 1000 * code.renew_in);
    this.ending = setTimeout(() => this.setData({ image: '' }), 1000 * (code.renew_in + GRACE));
  },

  /* The time by the server's clock, which is so much ahead of the phone's: it shows that this is no screenshot. */
  tick(ahead) {
    this.setData({ time: beijing.second(Date.now() + ahead) });
  },

  fail(problem) {
    const passing = problem.status === 0 || problem.status === 429 || problem.status >= 500;
    this.leave();
    this.setData({ code: passing ? this.data.code : null, image: '', problem });
    if (!passing) return;
    const seconds = Math.max(problem.retryAfter, RETRY) * (1 + Math.random()); // not all phones at once
    this.renewal = setTimeout(() => this.load(), 1000 * seconds);
  },
});

/* <image> cannot send a session, and a session in an address would be written down on the way. */
function dataUri(picture) {
  return `data:image/png;base64,${wx.arrayBufferToBase64(picture)}`;
}

/* What the page shows of the server's answer; the token is in the picture, and nowhere else. */
function inWords(code) {
  return {
    word: code.word,
    color: code.color,
    stale: code.stale,
    missing: code.missing,
    stateClass: `state-${code.state.toLowerCase()}`,
    toDeclare: code.missing.some((missing) => BY_DECLARING.includes(missing.id)),
    asOf: beijing.minute(code.as_of),
    reasons: code.reasons.map((reason) => ({
      ...reason,
      since: beijing.minute(reason.since),
      until: reason.until && beijing.minute(reason.until),
      authorities: reason.authorities.join('、'),
    })),
  };
}
