/* Numbers that the province decides: the pages name those of the server, and the usual ones until it has said them. */
const assert = require('node:assert/strict');
const { test } = require('node:test');

const { fakeWx, ok, openPage } = require('./fake_wx.js');

test('the words of a page name the numbers that came with the home page', async () => {
  const phone = fakeWx(ok({ columns: [], ending: null, numbers: { visits_kept_days: 21 } }), ok({ columns: [], ending: null }));
  const said = () => {
    const page = openPage('pages/visit/visit.js');
    page.onLoad({});
    return page.data.t.visitsHow;
  };
  assert.match(said(), /，14 天后自动删除/);
  const home = openPage('pages/home/home.js');
  await home.load();
  assert.match(said(), /，21 天后自动删除/);
  await home.load(); // of a server of before
  assert.match(said(), /，21 天后自动删除/);
  assert.equal(phone.stored.numbers.visits_kept_days, 21);
  const privacy = openPage('pages/privacy/privacy.js');
  privacy.onLoad({});
  assert.match(JSON.stringify(privacy.data.t.sections), /21 天后删除/);
});
