/* 消息: every change of color, whether or not a message could tell it; and those of the family, by name. */
const beijing = require('../../utils/beijing.js');
const { listPage } = require('../../utils/list.js');
const { citizen } = require('../../utils/request.js');

listPage({
  words: 'notices',
  path: '/api/v1/notices',
  data: { family: [] },
  items: (answer) => answer.notices,
  inWords,

  /* The list is there without them: a family that cannot be read now is passed over. */
  async beside() {
    try {
      const { notices } = await citizen.get('/api/v1/family/notices');
      this.setData({ family: notices.map((notice, index) => ({ ...ofFamily(notice), key: index })) });
    } catch (problem) {
      this.setData({ family: [] });
    }
  },
});

function ofFamily(notice) {
  const state = notice.state.toLowerCase();
  return { ...notice, at: beijing.minute(notice.at), state, mark: `/images/state-${state}.svg` };
}

function inWords(notice, language, t) {
  return {
    ...notice,
    key: notice.id,
    at: beijing.minute(notice.at),
    state: notice.state.toLowerCase(),
    mark: `/images/state-${notice.state.toLowerCase()}.svg`,
    wechat: (t.channels[notice.channel] || {})[notice.wechat] || t.delivery[notice.wechat] || t.delivery.other,
  };
}
