/* 变码记录: every decision about the citizen's code, with its evidence and sources, newest first. */
const beijing = require('../../utils/beijing.js');
const clock = require('../../utils/clock.js');
const { listPage } = require('../../utils/list.js');

listPage({
  words: 'history',
  path: '/api/v1/code/history',
  items: (answer) => answer.changes,
  inWords,
});

/* A decision as the page shows it. The server tells rules in both languages. */
function inWords(change, language, t) {
  return {
    key: `${change.decided_at} ${change.previous} ${change.rule.rule}`,
    at: beijing.minute(change.decided_at),
    state: change.state.toLowerCase(),
    mark: `/images/state-${change.state.toLowerCase()}.svg`,
    title: change.rule.title[language],
    explanation: change.rule.explanation[language],
    same: change.previous === change.state,
    disputable: change.color !== null && change.color !== 'GREEN',
    until: change.until && beijing.end(change.until, language, clock.now()),
    evidence: change.evidence.map((fact) => ({
      id: fact.id,
      kind: t.kinds[fact.kind] || fact.kind,
      at: beijing.minute(fact.at),
      authority: fact.authority,
      celsius: fact.facts.celsius,
      withdrawn: Boolean(fact.withdrawn_at),
    })),
  };
}
