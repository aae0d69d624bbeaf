/*
 * WeChat's question whether it may send a reminder, which opens in a tap only; what was answered is told to the server.
 *
 * Nothing here is a problem of the page: who cannot be asked is not, and declares all the same.
 */
const { citizen } = require('./request.js');

const OFF = ['ban', 'filter']; // only WeChat's own settings change these

/* The templates that are worth asking about: not those that go on without end, nor those that are switched off. */
async function worthAsking() {
  try {
    const { subscriptions } = await citizen.get('/api/v1/subscriptions');
    const open = ({ balance, last_answer: last }) => !OFF.includes(last) && !(balance === null && last === 'accept');
    return subscriptions.filter(open).map((one) => one.template_id);
  } catch (problem) {
    return [];
  }
}

/* Ask, in this very tap; resolves to the answers, {} when WeChat did not ask. */
function ask(ids) {
  if (!ids.length) return Promise.resolve({});
  return new Promise((resolve) => {
    wx.requestSubscribeMessage({ tmplIds: ids, success: resolve, fail: () => resolve({}) });
  });
}

/* Tell the server what was answered. */
async function report(ids, answers) {
  const told = ids.filter((id) => typeof answers[id] === 'string').map((id) => [id, answers[id]]);
  if (!told.length) return;
  try {
    await citizen.post('/api/v1/subscriptions', Object.fromEntries(told));
  } catch (problem) {
    // the page of reminders shows what is left, and asks again
  }
}

module.exports = { worthAsking, ask, report };
