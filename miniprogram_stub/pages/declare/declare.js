/*
 * The health declaration, in three steps. Nothing is ticked beforehand: what the citizen did not answer is not sent.
 * An answer that needs no more words leads on to the next step. What has been answered is kept as a draft until it is
 * sent; the tap that sends it also asks for a reminder.
 */
const beijing = require('../../utils/beijing.js');
const draft = require('../../utils/draft.js');
const reminding = require('../../utils/reminding.js');
const { citizen } = require('../../utils/request.js');
const { page, once } = require('../../utils/page.js');

/* The server's names for the symptoms, in the order of the words in utils/texts.js. */
const SYMPTOMS = ['fever', 'cough', 'fatigue', 'sore-throat', 'breathlessness', 'diarrhea', 'loss-of-smell'];

/* Of the account, as the server names them: what the platform knows the holder by. */
const HOLDER = ['name', 'document_number', 'phone'];

/* At which step a field of the server is answered or shown. */
const STEP_OF = { symptoms: 1, contact: 2, contact_on: 2, consent: 3, name: 3, document_number: 3, phone: 3 };

const EMPTY = { step: 1, ill: '', symptoms: [], contact: '', contactOn: '' };
const LONGEST = 60; // days that the server goes back

page({
  words: 'declare',
  data: { ...EMPTY, choices: [], holder: null, forMember: false, consent: false, restored: false, missing: {}, busy: false, problem: null },

  async onLoad({ member, name, number, contact }) {
    // of the family, as its page has them: masked
    this.member = member ? { id: member, name: decodeURIComponent(name), document_number: decodeURIComponent(number) } : null;
    this.setData({ forMember: Boolean(member) });
    const now = Date.now();
    this.templates = [];
    this.setData({ today: beijing.day(now), earliest: beijing.day(now - LONGEST * 86400000) });
    this.restore(now);
    this.proposeContact(contact);
    if (!this.whose() && !(await this.knowAccount(now))) return;
    this.templates = await reminding.worthAsking(); // before the tap that asks
  },

  /* A day that a notice of exposure names is filled in, where there is none yet; whether there was a contact they answer. */
  proposeContact(day) {
    const known = /^\d{4}-\d\d-\d\d$/.test(day || '') && this.data.earliest <= day && day <= this.data.today;
    if (known && !this.data.contactOn) this.answer({ contactOn: day });
  },

  async knowAccount(now) {
    try {
      await citizen.get('/api/v1/accounts/me'); // logging in tells the account
      this.restore(now);
      return true;
    } catch (problem) {
      this.setData({ problem });
      return false;
    }
  },

  /* Whose declaration this is: a member of the family, or the account of this phone. */
  whose() {
    return this.member || citizen.account();
  },

  restore(now) {
    const account = this.whose();
    const kept = account && draft.read(account, now);
    this.answer(kept || {});
    const holder = account && HOLDER.filter((field) => account[field]).map((field) => ({ field, value: account[field] }));
    this.setData({ restored: Boolean(kept), holder });
  },

  /* Take answers and show them; whoever changed something keeps it. */
  answer(answers) {
    this.setData(answers);
    const { symptoms } = this.data;
    this.setData({ choices: SYMPTOMS.map((id, index) => ({ id, index, on: symptoms.includes(id) })), missing: {} });
  },

  change(answers) {
    this.answer(answers);
    const account = this.whose();
    const { step, ill, symptoms, contact, contactOn } = this.data;
    if (account) draft.keep(account, { step, ill, symptoms, contact, contactOn }, Date.now());
  },

  startOver() {
    draft.clear();
    this.answer(EMPTY);
    this.setData({ consent: false, restored: false, problem: null });
  },

  chooseIll(event) {
    const ill = event.detail.value;
    this.change({ ill, symptoms: ill === 'no' ? [] : this.data.symptoms });
    if (ill === 'no') this.go(2);
  },

  chooseSymptoms(event) {
    this.change({ symptoms: event.detail.value });
  },

  chooseContact(event) {
    const contact = event.detail.value;
    this.change({ contact, contactOn: contact === 'no' ? '' : this.data.contactOn });
    if (contact === 'no') this.go(3);
  },

  chooseDay(event) {
    this.change({ contactOn: event.detail.value });
  },

  chooseConsent(event) {
    this.setData({ consent: event.detail.value.length > 0, missing: {} });
  },

  back() {
    this.go(this.data.step - 1);
  },

  goTo(event) {
    this.go(Number(event.currentTarget.dataset.step));
  },

  forward() {
    const missing = unanswered(this.data);
    if (Object.keys(missing).length) this.setData({ missing });
    else this.go(this.data.step + 1);
  },

  go(step) {
    this.change({ step });
    this.setData({ problem: null });
    wx.pageScrollTo({ scrollTop: 0, duration: 0 });
  },

  submit() {
    if (!this.data.consent) {
      this.setData({ missing: { consent: true } });
      return Promise.resolve();
    }
    return once(this, async () => {
      const { templates } = this;
      const asked = reminding.ask(templates).then((answers) => reminding.report(templates, answers));
      try {
        await this.send();
      } catch (problem) {
        const field = Object.keys(problem.fields || {}).find((name) => STEP_OF[name]);
        if (field) this.change({ step: STEP_OF[field] });
        throw problem;
      }
      draft.clear();
      await asked;
      if (this.member) wx.navigateBack();
      else wx.redirectTo({ url: '/pages/code/code' });
    });
  },

  send() {
    const said = statement(this.data);
    if (!this.member) return citizen.post('/api/v1/declarations', said);
    return citizen.post('/api/v1/family/members/declarations', { ...said, id: this.member.id });
  },
});

/* What this step still needs, by field. */
function unanswered({ step, ill, symptoms, contact, contactOn }) {
  if (step === 1 && !ill) return { ill: true };
  if (step === 1 && ill === 'yes' && !symptoms.length) return { symptoms: true };
  if (step === 2 && !contact) return { contact: true };
  if (step === 2 && contact === 'yes' && !contactOn) return { contactOn: true };
  return {};
}

/* The answers as the server takes them. */
function statement({ symptoms, contact, contactOn, consent }) {
  const body = { symptoms, contact: contact === 'yes', consent };
  return contact === 'yes' ? { ...body, contact_on: contactOn } : body;
}
