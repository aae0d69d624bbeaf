/* 纠错申请: the citizen's own, newest first: until when one is answered, and the answer, which quotes the record. */
const beijing = require('../../utils/beijing.js');
const { listPage } = require('../../utils/list.js');

listPage({
  words: 'appeals',
  path: '/api/v1/appeals',
  items: (answer) => answer.appeals,
  inWords,
});

function inWords(appeal, language, t) {
  const open = appeal.state === 'open';
  const decided = appeal.decided_state.toLowerCase();
  return {
    key: appeal.id,
    open,
    title: t.states[appeal.state] || t.states.other,
    decided,
    mark: `/images/state-${decided}.svg`,
    about: `${beijing.minute(appeal.decided_at)} · ${t.colors[decided] || ''}`,
    filed: beijing.minute(appeal.filed_at),
    due: beijing.minute(appeal.due_at),
    late: open && appeal.escalated,
    settled: appeal.settled_at && beijing.minute(appeal.settled_at),
    answer: appeal.answer.map((sentence, place) => ({ place, sentence })),
    text: appeal.text,
  };
}
