/* 消息: every change of color, whether or not WeChat could tell it. */
const beijing = require('../../utils/beijing.js');
const { listPage } = require('../../utils/list.js');

listPage({
  words: 'notices',
  path: '/api/v1/notices',
  items: (answer) => answer.notices,
  inWords,
});

function inWords(notice, language, t) {
  return {
    ...notice,
    key: notice.id,
    at: beijing.minute(notice.at),
    state: notice.state.toLowerCase(),
    mark: `/images/state-${notice.state.toLowerCase()}.svg`,
    wechat: t.delivery[notice.wechat] || t.delivery.other,
  };
}
