/* The health declaration. Nothing is ticked beforehand: what the citizen did not answer is not sent. */
const request = require('../../utils/request.js');

/* The server's names for the symptoms, and the people's. */
const SYMPTOMS = [
  { id: 'fever', word: '发热' },
  { id: 'cough', word: '咳嗽' },
  { id: 'fatigue', word: '乏力' },
  { id: 'sore-throat', word: '咽痛' },
  { id: 'breathlessness', word: '呼吸困难' },
  { id: 'diarrhea', word: '腹泻' },
  { id: 'loss-of-smell', word: '嗅觉或味觉减退' },
];

Page({
  data: { symptoms: SYMPTOMS, contact: '', contactOn: '', busy: false, problem: null },

  chooseContact(event) {
    this.setData({ contact: event.detail.value });
  },

  chooseDay(event) {
    this.setData({ contactOn: event.detail.value });
  },

  async submit(event) {
    this.setData({ busy: true, problem: null });
    try {
      await request.post('/api/v1/declarations', statement(event.detail.value, this.data));
      wx.redirectTo({ url: '/pages/code/code' });
    } catch (problem) {
      this.setData({ problem });
    }
    this.setData({ busy: false });
  },
});

/* The form as the server takes it. */
function statement(form, { contact, contactOn }) {
  const body = { symptoms: form.symptoms || [], consent: form.consent.length > 0 };
  if (contact) body.contact = contact === 'yes';
  if (contact === 'yes' && contactOn) body.contact_on = contactOn;
  return body;
}
